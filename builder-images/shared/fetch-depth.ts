/** Commits of history that a build has; 0: all. What is no number is refused when the schemas are there. */
export const depthOf = ({ GIT_FETCH_DEPTH: depth = '' }: Readonly<Record<string, string>>): number =>
  /^\d{1,7}$/.test(depth) ? Number(depth) : 1;
