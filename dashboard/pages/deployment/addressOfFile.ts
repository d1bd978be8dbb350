/**
 * Where a file of a site is served. Its name may hold anything that a file's may; the site's address may have a query,
 * by which a protected preview is opened.
 */
export function addressOfFile(site: string, path: string): string {
  const url = new URL(site);
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${encoded}`;
  return url.href;
}
