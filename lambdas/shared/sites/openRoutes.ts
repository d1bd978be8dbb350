import { openSiteTable, type S3Calls } from '../adapters/aws/clients.ts';
import { cloudFrontSites } from '../adapters/aws/siteTable.ts';
import { type DomainPorts, domainPortsOf } from '../domains/domainPorts.ts';
import type { Sites } from '../ports.ts';
import { bucketSites } from './bucketSites.ts';

type Env = Parameters<typeof domainPortsOf>[0] & { readonly BUCKET: string };

/** The stage's routes: in its KeyValueStore, or in the bucket where it has none; and what own domains need. */
export function openRoutes(
  env: Env,
  s3: S3Calls,
): { readonly sites: Sites; readonly domainPorts: DomainPorts | undefined } {
  const table = env.SITE_TABLE_ARN;
  const sites = table ? cloudFrontSites(openSiteTable(), table) : bucketSites(s3, env.BUCKET);
  return { sites, domainPorts: domainPortsOf(env) };
}
