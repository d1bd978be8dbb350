import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { VerenError } from '../../../contract/errors.ts';
import type { GitPolicy } from './gitPolicy.ts';

/** The only IPv6 block with public addresses. Source: IANA, "IPv6 Global Unicast Address Space". */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Throws GIT_HOST_FORBIDDEN unless the address is a public one. Everything with a special meaning is refused: loopback,
 * private, link-local (cloud metadata), carrier-grade NAT, and the IPv6 forms that wrap an IPv4 address.
 * Source: the IANA special-purpose address registries, as `ipaddr.js` holds them.
 */
export function requireAllowedAddress(host: string, address: string, policy: GitPolicy): void {
  if (policy.allowPrivateAddresses) return;
  const range = rangeOf(address);
  if (range !== 'unicast')
    throw new VerenError('GIT_HOST_FORBIDDEN', { host, reason: `its address is not public (${range})` });
}

function rangeOf(address: string): string {
  const ip = ipaddr.process(address);
  if (ip.kind() === 'ipv4') return ip.range();
  const range = ip.range();
  if (range !== 'unicast') return range;
  if (!ip.match(GLOBAL_UNICAST)) return 'reserved';
  // ISATAP: the last 32 bits are an IPv4 address. Source: RFC 5214, section 6.1.
  const parts = (ip as ipaddr.IPv6).parts;
  return (parts[4]! & 0xfdff) === 0 && parts[5] === 0x5efe ? 'isatap' : range;
}

export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map((a) => a.address);

/**
 * Addresses of the URL's host, all of them public, to be pinned for the connection: a second look-up by git could give
 * another answer (DNS rebinding). Empty where the policy allows every address: nothing is looked up or pinned.
 */
export async function resolvePublicAddresses(
  url: URL,
  policy: GitPolicy,
  resolve: Resolve = resolveBySystem,
  deadline: AbortSignal = AbortSignal.timeout(policy.timeoutMs),
): Promise<readonly string[]> {
  if (policy.allowPrivateAddresses || url.protocol === 'file:') return [];
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host)) {
    requireAllowedAddress(url.hostname, host, policy);
    return [host];
  }
  let addresses: readonly string[];
  try {
    addresses = await beforeDeadline(resolve(host), deadline);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOTFOUND') throw new VerenError('REPO_NOT_FOUND', { url: url.href }, { cause });
    throw unresolvedHost(url, `the host name could not be resolved (${code ?? 'no reason given'})`, cause);
  }
  if (addresses.length === 0) throw new VerenError('REPO_NOT_FOUND', { url: url.href });
  // A zone (`%eth0`) names an interface of this machine: no public address has one.
  if (!addresses.every((address) => isIP(address) !== 0 && !address.includes('%')))
    throw unresolvedHost(url, 'the host name resolves to something that is no address');
  for (const address of addresses) requireAllowedAddress(url.hostname, address, policy);
  return addresses.slice(0, MAX_PINNED);
}

/** Addresses that are tried one after another; a name may have hundreds. */
const MAX_PINNED = 8;

/**
 * Request options that connect to a checked address, even if the name resolves to another one by then. Empty without
 * addresses.
 */
export function pinAddress(addresses: readonly string[]): { lookup?: LookupFunction } {
  const [address] = addresses;
  if (address === undefined) return {};
  const family = isIPv6(address) ? 6 : 4;
  return {
    lookup: (_host, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
  };
}

const unresolvedHost = (url: URL, reason: string, cause?: unknown) =>
  new VerenError('GIT_FAILED', { url: url.href, reason }, { cause });

function beforeDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const rejectLate = () => reject(Object.assign(new Error('late'), { code: 'no answer in time' }));
    if (deadline.aborted) rejectLate();
    deadline.addEventListener('abort', rejectLate, { once: true });
    void work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', rejectLate));
  });
}
