import type { SiteRoute } from '../../contract/siteRoute.ts';
import type { Sites } from '../shared/ports.ts';

/** Removals of one call: the most keys of one UpdateKeys of a KeyValueStore. */
const MAX_CHANGES = 50;

/**
 * Takes hosts out of the table, those that show what `isOf` says at this moment: what was read earlier may have been pointed
 * elsewhere. @returns how many there were
 */
export async function removeRoutes(
  sites: Sites,
  hosts: readonly { readonly host: string }[],
  isOf: (route: SiteRoute) => boolean,
): Promise<number> {
  let removed = 0;
  for (let i = 0; i < hosts.length; i += MAX_CHANGES) {
    const some = hosts.slice(i, i + MAX_CHANGES);
    const found = await Promise.all(some.map(({ host }) => sites.find(host)));
    const changes = some.flatMap(({ host }, n) => (found[n] && isOf(found[n]) ? [{ host, route: null }] : []));
    if (changes.length > 0) await sites.point(changes);
    removed += changes.length;
  }
  return removed;
}
