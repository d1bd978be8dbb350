/** A project's name from a repository's URL or a folder: `https://host/me/My_Site.git` → `my-site`. Empty for none. */
export function projectNameFrom(source: string): string {
  const base = source
    .replace(/[\\/]+$/, '')
    .split(/[\\/:]/)
    .at(-1) as string;
  const id = base
    .replace(/\.git$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return id.slice(0, 63).replace(/-$/, '');
}
