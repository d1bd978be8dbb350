/**
 * Commits of history that a build gets; 0: all. The schemas, which are loaded later, refuse anything that is not a
 * number.
 */
export const depthOf = ({ GIT_FETCH_DEPTH: depth = '' }: Readonly<Record<string, string>>): number =>
  /^\d{1,7}$/.test(depth) ? Number(depth) : 1;
