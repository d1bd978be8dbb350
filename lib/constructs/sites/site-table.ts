import type { IKeyValueStore } from 'aws-cdk-lib/aws-cloudfront';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { VerenFunction } from '../veren-function.ts';

/** Objects that visitors may see: files of sites, and none of what lies beside them (manifests, verdicts). */
export const SITE_OBJECTS = ['__outputs/*', '__deployments/*/*/files/*'] as const;

/** Headers by which the viewer-request function tells the site function what it knows; parts of the cache's key. */
export const SITE_HEADERS = ['x-veren-base', 'x-veren-before', 'x-veren-rules'] as const;

/** Read and write the routes of the sites. `table` is undefined in a stage without CloudFront. */
export function grantSites(fn: VerenFunction, table: IKeyValueStore | undefined): void {
  if (!table) return;
  fn.fn.addEnvironment('SITE_TABLE_ARN', table.keyValueStoreArn);
  fn.role.addToPolicy(
    new PolicyStatement({
      sid: 'SiteRoutes',
      actions: [
        'cloudfront-keyvaluestore:DescribeKeyValueStore',
        'cloudfront-keyvaluestore:GetKey',
        'cloudfront-keyvaluestore:ListKeys',
        'cloudfront-keyvaluestore:UpdateKeys',
      ],
      resources: [table.keyValueStoreArn],
    }),
  );
}

/** In the cache's key, and different for every request to a backend: no two visitors share an answer. */
export const SERVICE_HEADER = 'x-veren-once';
