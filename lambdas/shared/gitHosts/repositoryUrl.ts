import type { ConnectionHost } from '../../../contract/gitHosts.ts';
import { parseUrl } from '../repo/parseUrl.ts';

/** Names of a host's groups and repositories, as in `group/subgroup/name`; in a folder a repository may have no group. */
const REPOSITORY_NAME = /^[\w.~-]+(?:\/[\w.~-]+)*$/;
const isName = (name: string) => REPOSITORY_NAME.test(name) && !name.split('/').some((part) => /^\.{1,2}$/.test(part));

/** True where the host has repositories of such names: GitLab alone has groups in groups. */
export function isNameAtHost(host: ConnectionHost, name: string): boolean {
  const { length } = name.split('/');
  return isName(name) && (host === 'git' || (host === 'gitlab' ? length > 1 : length === 2));
}

const withoutSuffix = (path: string) => path.replace(/\/+$/, '').replace(/\.git$/i, '');
export const isSameRepository = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** True where the URL is that of the repository: its path ends with the repository's name. */
export function isUrlOfRepository(gitUrl: string, name: string): boolean {
  const url = parseUrl(gitUrl);
  return (
    url !== undefined && isName(name) && withoutSuffix(url.pathname).toLowerCase().endsWith(`/${name.toLowerCase()}`)
  );
}

/**
 * The URL of another repository of the same host, made of one that is known: what a delivery says of addresses is not
 * used. Null where that cannot be done.
 */
export function urlOfSibling(gitUrl: string, name: string, sibling: string): string | null {
  const url = parseUrl(gitUrl);
  if (!url || !isName(sibling) || !sibling.includes('/') || !isUrlOfRepository(gitUrl, name)) return null;
  const path = withoutSuffix(url.pathname);
  url.pathname = `${path.slice(0, path.length - name.length)}${sibling}.git`;
  return url.href;
}
