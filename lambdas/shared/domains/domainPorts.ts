import { openCloudFront, openSiteTable } from '../adapters/aws/clients.ts';
import { cloudFrontDomains } from '../adapters/aws/cloudFrontDomains.ts';
import { dnsLookups } from '../adapters/aws/dnsLookups.ts';
import { cloudFrontSites } from '../adapters/aws/siteTable.ts';
import type { OwnDomainsDeps } from './ownDomains.ts';

/** CloudFront's API is in one region. */
const CLOUDFRONT_REGION = 'us-east-1';

/** What the platform behind projects' own domains gives. */
export type DomainPorts = Pick<OwnDomainsDeps, 'domains' | 'sites' | 'siteDomain'>;

/** Variables of functions that change own domains (`contract/function-env.ts`). */
interface DomainEnv {
  readonly SITE_TABLE_ARN?: string | undefined;
  readonly SITE_DOMAIN?: string | undefined;
  readonly TENANTS_DISTRIBUTION_ID?: string | undefined;
  readonly CONNECTION_GROUP_ID?: string | undefined;
  readonly CONNECTION_ENDPOINT?: string | undefined;
}

/** What projects' own domains need; undefined in a stage that is not set up for them. */
export function domainPortsOf(env: DomainEnv): DomainPorts | undefined {
  const { SITE_TABLE_ARN: table, TENANTS_DISTRIBUTION_ID: distributionId } = env;
  const { CONNECTION_GROUP_ID: connectionGroupId, CONNECTION_ENDPOINT: endpoint } = env;
  if (!table || !distributionId || !connectionGroupId || !endpoint) return undefined;
  const client = openCloudFront({ region: CLOUDFRONT_REGION });
  return {
    domains: cloudFrontDomains(client, dnsLookups(), { distributionId, connectionGroupId, endpoint }),
    sites: cloudFrontSites(openSiteTable(), table),
    siteDomain: env.SITE_DOMAIN,
  };
}
