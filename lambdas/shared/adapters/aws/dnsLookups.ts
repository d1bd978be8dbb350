import { Resolver } from 'node:dns/promises';
import { VerenError } from '../../../../contract/errors.ts';
import type { DnsLookups } from './cloudFrontDomains.ts';

/** Answers that mean "there is no such record". */
const ABSENT = ['ENODATA', 'ENOTFOUND', 'NXDOMAIN', 'EBADNAME'];

/** Lookups by the resolver of the machine, or by the given servers. */
export function dnsLookups(servers?: readonly string[]): DnsLookups {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers) resolver.setServers(servers);
  const orNone = async <T>(lookUp: Promise<T[]>): Promise<T[]> => {
    try {
      return await lookUp;
    } catch (e) {
      if (ABSENT.includes((e as NodeJS.ErrnoException).code ?? '')) return [];
      throw new VerenError('UNAVAILABLE', { reason: `the DNS does not answer: ${(e as Error).message}` }, { cause: e });
    }
  };
  return {
    texts: async (name) => (await orNone(resolver.resolveTxt(name))).map((parts) => parts.join('')),
    cnames: (name) => orNone(resolver.resolveCname(name)),
    addresses: (name) => orNone(resolver.resolve4(name)),
  };
}
