import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { VerenError } from '../../../contract/errors.ts';
import type { GitPolicy } from './gitPolicy.ts';

/**
 * Throws GIT_HOST_FORBIDDEN unless the address is a public one. Everything with a special meaning is refused: loopback,
 * private, link-local (cloud metadata), carrier-grade NAT, and the IPv6 forms that wrap an IPv4 address.
 * Source: the IANA special-purpose address registries, as `ipaddr.js` holds them.
 */
export function requireAllowedAddress(host: string, address: string, policy: GitPolicy): void {
  if (policy.allowPrivateAddresses) return;
  const range = ipaddr.process(address).range();
  if (range !== 'unicast')
    throw new VerenError('GIT_HOST_FORBIDDEN', { host, reason: `its address is not public (${range})` });
}

export type Resolve = (host: string) => Promise<readonly string[]>;

const system: Resolve = async (host) => (await lookup(host, { all: true, verbatim: true })).map((a) => a.address);

/**
 * Addresses of the URL's host, all of them public, to be pinned for the connection: a second look-up by git could give
 * another answer (DNS rebinding). Empty where the policy allows every address: nothing is looked up or pinned.
 */
export async function resolvePublicAddresses(
  url: URL,
  policy: GitPolicy,
  resolve: Resolve = system,
): Promise<readonly string[]> {
  if (policy.allowPrivateAddresses || url.protocol === 'file:') return [];
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host)) {
    requireAllowedAddress(url.hostname, host, policy);
    return [host];
  }
  let addresses: readonly string[];
  try {
    addresses = await resolve(host);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOTFOUND') throw new VerenError('REPO_NOT_FOUND', { url: url.href }, { cause });
    throw new VerenError(
      'GIT_FAILED',
      { url: url.href, reason: `the host name could not be resolved (${code})` },
      { cause },
    );
  }
  for (const address of addresses) requireAllowedAddress(url.hostname, address, policy);
  if (addresses.length === 0) throw new VerenError('REPO_NOT_FOUND', { url: url.href });
  return addresses;
}
