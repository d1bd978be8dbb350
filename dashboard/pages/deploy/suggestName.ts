/** A project's name for a repository: the last part of its address, in the form that names have. */
export function suggestName(gitUrl: string): string {
  const last = gitUrl
    .trim()
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/i, '')
    .split(/[/:]/)
    .at(-1);
  return (last ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}
