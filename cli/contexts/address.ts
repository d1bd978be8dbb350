import { VerenError } from '../../contract/errors.ts';

/** What a bare host name is completed to. */
const hasScheme = (text: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);

/** Where a platform is on this machine when nothing else is said (`PORT`). */
export const laptopAddress = (port: string | undefined): string =>
  `http://127.0.0.1:${/^\d{1,5}$/.test(port ?? '') && port !== '0' ? port : '3000'}`;

export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.+\.localhost)$/.test(hostname);
}

/**
 * The address of a platform, without a `/` at the end. A host without a scheme is taken as https, one of this machine as
 * http. Throws CLI_USAGE, and CLI_ADDRESS_INSECURE for http across a network.
 */
export function parseAddress(text: string, { insecure }: { readonly insecure: boolean }): string {
  const refuse = (reason: string): never => {
    throw new VerenError('CLI_USAGE', { reason, help: 'veren login --help' });
  };
  // A number alone would be read as an IPv4 address.
  if (/^\d+(?::\d+)?\/?$/.test(text)) return refuse(`"${text}" names no host; on this machine: 127.0.0.1:${text}.`);
  let url: URL;
  try {
    url = new URL(hasScheme(text) ? text : `https://${text}`);
    if (!hasScheme(text) && isLoopback(url)) url = new URL(`http://${text}`);
  } catch {
    return refuse('the address is not a URL.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('the address has to begin with https://.');
  if (url.username !== '' || url.password !== '') return refuse('the address must not hold a user name or password.');
  if (url.search !== '' || url.hash !== '') return refuse('the address must have no query and no fragment.');
  if (url.protocol === 'http:' && !isLoopback(url) && !insecure)
    throw new VerenError('CLI_ADDRESS_INSECURE', { address: url.origin });
  return url.href.replace(/\/+$/, '');
}
