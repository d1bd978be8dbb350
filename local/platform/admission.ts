import type { IncomingMessage } from 'node:http';
import { VerenError } from '../../contract/errors.ts';
import { parseUrl } from '../../lambdas/shared/repo/parseUrl.ts';

/** Host names of the API. Without configuration only the loopback names. */
export interface OwnAddresses {
  /** The beginning of links; absent: the address that the server listens on. */
  readonly publicUrl?: URL;
  /** Further host names, without a port. */
  readonly hosts?: readonly string[];
}

/** Names that every resolver resolves to this machine. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
const HOST_HEADER = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)(?::(\d{1,5}))?$/i;

/**
 * Why a request is refused, or null. Two kinds are refused: a host name that is not the server's own, since an
 * attacker's name may resolve to this machine (DNS rebinding); and requests of a browser for a page of another origin.
 * The port of a loopback name is not compared: it is another one behind `ssh -L` or a proxy, and the origin is compared
 * with the whole Host header anyway.
 */
export function refusalOf(
  request: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'method' | 'url'>,
  own: OwnAddresses,
): VerenError | null {
  const { headers, rawHeaders } = request;
  const host = headers.host ?? '';
  const named = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  const name = HOST_HEADER.exec(host)?.[1]?.toLowerCase();
  if (named !== 1 || name === undefined || !isOwnName(name, own))
    return new VerenError('HOST_NOT_SERVED', { host: JSON.stringify(host.slice(0, 100)) });
  // `GET http://other/ HTTP/1.1` is for a proxy, which this is not; the name in it would win over the Host header.
  if (!request.url?.startsWith('/')) return new VerenError('HOST_NOT_SERVED', { host: 'in the request line' });
  return isForeign(request, host.toLowerCase(), own) ? new VerenError('ORIGIN_FORBIDDEN') : null;
}

function isOwnName(name: string, { publicUrl, hosts = [] }: OwnAddresses): boolean {
  return [...LOOPBACK_NAMES, ...hosts.map((h) => h.toLowerCase()), ...(publicUrl ? [publicUrl.hostname] : [])].includes(
    name,
  );
}

/**
 * Browsers send the origin of a request: `Origin` with everything but a plain GET, `Sec-Fetch-Site` always. "same-site"
 * is refused too, since it ignores ports: a published site on 127.0.0.1 is of the same site.
 */
function isForeign(
  { headers, method }: Pick<IncomingMessage, 'headers' | 'method'>,
  host: string,
  own: OwnAddresses,
): boolean {
  const { origin } = headers;
  if (origin !== undefined) {
    const given = origin.toLowerCase();
    return given !== `http://${host}` && given !== own.publicUrl?.origin && given !== `https://${host}`;
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  // A link to a page of ours that is opened as a page; the linking page cannot read it.
  const opensPage = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !(opensPage && (method === 'GET' || method === 'HEAD'));
}

/**
 * VEREN_PUBLIC_URL (what links begin with, e.g. behind a proxy) and VEREN_HOSTS (further host names, separated by commas).
 * Throws PUBLIC_ADDRESS_INVALID.
 */
export function ownAddressesOf(env: Readonly<Record<string, string | undefined>>): OwnAddresses {
  const given = env.VEREN_PUBLIC_URL ?? '';
  const url = parseUrl(given);
  if (given !== '' && !(url && isWeb(url) && isBare(url)))
    throw new VerenError('PUBLIC_ADDRESS_INVALID', { name: 'VEREN_PUBLIC_URL', value: given });
  const hosts = (env.VEREN_HOSTS ?? '')
    .split(',')
    .map((h) => h.trim())
    .filter(Boolean);
  for (const host of hosts)
    if (HOST_HEADER.exec(host)?.[1] !== host)
      throw new VerenError('PUBLIC_ADDRESS_INVALID', { name: 'VEREN_HOSTS', value: host });
  return { ...(url && { publicUrl: url }), hosts };
}

const isWeb = ({ protocol }: URL) => protocol === 'http:' || protocol === 'https:';
const isBare = ({ username, password, pathname, search, hash }: URL) =>
  username === '' && password === '' && pathname === '/' && search === '' && hash === '';
