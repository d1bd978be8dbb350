import { z } from 'zod';
import { s3Keys } from '../../../contract/names.ts';
import { type SiteRoute, SiteRouteSchema } from '../../../contract/siteRoute.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { openDocuments } from '../documents.ts';
import type { Sites } from '../ports.ts';

const RoutesSchema = z.object({ v: z.literal(1), routes: z.record(z.string(), SiteRouteSchema) });

/** The routes of a stage that has no CloudFront KeyValueStore: all of them in one object, changed as one. */
export function bucketSites(s3: S3Calls, bucket: string): Sites {
  const documents = openDocuments(s3, bucket);
  return {
    async point(changes) {
      await documents.change(s3Keys.routes, RoutesSchema, (before) => {
        const routes: Record<string, SiteRoute> = { ...before?.routes };
        for (const { host, route } of changes) {
          if (route) routes[host] = SiteRouteSchema.parse(route);
          else delete routes[host];
        }
        return { v: 1 as const, routes };
      });
    },
    async find(host) {
      const table = await documents.read(s3Keys.routes, RoutesSchema);
      return table && Object.hasOwn(table.routes, host) ? (table.routes[host] ?? null) : null;
    },
    async listRoutes(projectId) {
      const table = await documents.read(s3Keys.routes, RoutesSchema);
      return Object.entries(table?.routes ?? {}).flatMap(([host, route]) =>
        route.projectId === projectId ? [{ host, route }] : [],
      );
    },
  };
}
