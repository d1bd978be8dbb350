import type { SiteRoute } from '../../../contract/siteRoute.ts';
import type { Sites } from '../../../lambdas/shared/ports.ts';
import type { Journal } from './journal.ts';

/** The routes in memory, where the site server looks at every request; the journal keeps them over restarts. */
export function memorySites(journal: Journal): Sites {
  const routes = journal.table<SiteRoute>('routes');
  return {
    async point(changes) {
      for (const { host, route } of changes) {
        if (route) routes.set(host, route);
        else routes.delete(host);
      }
      await journal.commit();
    },
    find: async (host) => routes.get(host) ?? null,
    listRoutes: async (projectId) =>
      [...routes.entries()].flatMap(([host, route]) => (route.projectId === projectId ? [{ host, route }] : [])),
  };
}
