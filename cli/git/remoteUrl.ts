import { fileURLToPath, pathToFileURL } from 'node:url';

/** `C:\repos\app` and `C:/repos/app`: a path, though it looks like `host:path`. */
const WINDOWS_PATH = /^[A-Za-z]:[\\/]/;
const WITH_SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
/** `git@host:me/app.git`, as scp has it; no path begins so but one with a colon before its first slash. */
const SCP = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)(.+)$/;

/** True for what names a repository by its address; anything else is a folder. */
export function isRepositoryUrl(text: string): boolean {
  if (WINDOWS_PATH.test(text)) return false;
  return WITH_SCHEME.test(text) || SCP.test(text);
}

/**
 * The URL by which the platform can read what git calls `remote`: SSH becomes https, credentials are left out, a folder
 * becomes a `file:` URL. What is none of these stays, and the platform says what is wrong with it.
 * @param folder What a relative path is relative to.
 */
export function readableUrl(remote: string, folder: string, { windows }: { readonly windows: boolean }): string {
  const scheme = WINDOWS_PATH.test(remote) ? undefined : WITH_SCHEME.exec(remote)?.[1]?.toLowerCase();
  if (scheme === 'ssh' || scheme === 'git+ssh') {
    const [, host, path] = /^[^:]+:\/\/(?:[^@/]*@)?([^/:]+|\[[^\]]*\])(?::\d+)?\/(.+)$/.exec(remote) ?? [];
    return host && path ? `https://${host}/${path.replace(/^\/+/, '')}` : remote;
  }
  if (scheme === 'http' || scheme === 'https') return remote.replace(/^([^:]+:\/\/)[^/@]*@/, '$1');
  if (scheme !== undefined) return remote;
  const [, host, path] = WINDOWS_PATH.test(remote) ? [] : (SCP.exec(remote) ?? []);
  if (host && path) return `https://${host}/${path.replace(/^\/+/, '')}`;
  return fileUrl(remote, folder, windows);
}

function fileUrl(path: string, folder: string, windows: boolean): string {
  // The trailing slash makes it the folder that relative paths begin in.
  const base = pathToFileURL(`${folder}/`, { windows });
  const isAbsolute = windows ? WINDOWS_PATH.test(path) || /^[\\/]/.test(path) : path.startsWith('/');
  if (isAbsolute) return pathToFileURL(path, { windows }).href;
  return pathToFileURL(`${fileURLToPath(base, { windows })}${path}`, { windows }).href;
}

/** True where both name one repository: host names have no case, and `.git`, slashes at the end and users do not count. */
export const isSameRepository = (a: string, b: string): boolean => canonicalUrl(a) === canonicalUrl(b);

/** What is no URL names itself alone. */
function canonicalUrl(text: string): string {
  try {
    const url = new URL(text);
    url.username = '';
    url.password = '';
    url.pathname = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '');
    return url.href;
  } catch {
    return text;
  }
}
