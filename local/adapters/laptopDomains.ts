import type { Domains } from '../../lambdas/shared/ports.ts';

/**
 * On a laptop every name that is configured works at once: whoever can make it lead to this machine (`/etc/hosts`, or a
 * `Host` header) sees the site. Nothing has to be entered anywhere, and there is no certificate.
 */
export const laptopDomains = (): Domains => ({
  entries: async () => [],
  proves: async () => true,
  attach: async () => ({ status: 'live' }),
  detach: async () => undefined,
  // Nothing is made for a name, so nothing is left of it.
  async *listDetached() {},
  removeDetached: async () => true,
});
