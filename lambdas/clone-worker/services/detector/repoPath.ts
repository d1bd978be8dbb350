/** A relative path seen from a folder; undefined where it leaves the repository. */
export function resolvePath(dir: string, path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const parts = dir === '.' ? [] : dir.split('/');
  for (const part of path.split('/')) {
    if (part === '..') {
      if (parts.length === 0) return undefined;
      parts.pop();
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/') || '.';
}

/** Without empty and `.` parts; `.` for the root. */
export const normalisePath = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/') || '.';

/** Whether a folder is `scope` or below it. */
export const isWithin = (scope: string, dir: string): boolean =>
  scope === '.' || dir === scope || dir.startsWith(`${scope}/`);
