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
