import { ArnFormat, Stack } from 'aws-cdk-lib';
import {
  type BehaviorOptions,
  CfnConnectionGroup,
  type CfnDistribution,
  Distribution,
  HttpVersion,
} from 'aws-cdk-lib/aws-cloudfront';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeFindings, acknowledgeWildcards } from '../acknowledge.ts';
import { mayChange } from '../cross-stack.ts';
import { accountWideName, type StageSettings } from '../stage-settings.ts';
import type { VerenFunction } from '../veren-function.ts';

export interface SiteTenantsProps {
  readonly settings: StageSettings;
  /** The same as of the sites' own distribution. */
  readonly behavior: BehaviorOptions;
}

/**
 * Where domains of projects are served: a multi-tenant distribution, in which every domain is a tenant with a certificate
 * that CloudFront itself gets. It stands beside the sites' own distribution, which stays as it is.
 */
export class SiteTenants extends Construct {
  readonly distribution: Distribution;
  /** What the DNS of a project's domain leads to. */
  readonly connectionGroup: CfnConnectionGroup;

  constructor(scope: Construct, id: string, { settings, behavior }: SiteTenantsProps) {
    super(scope, id);
    this.connectionGroup = new CfnConnectionGroup(this, 'Connections', {
      name: accountWideName(settings, 'own-domains'),
      enabled: true,
      ipv6Enabled: true,
    });
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `Veren ${settings.stage}: domains of projects`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      defaultBehavior: behavior,
    });
    const distribution = this.distribution.node.defaultChild as CfnDistribution;
    distribution.addPropertyOverride('DistributionConfig.ConnectionMode', 'tenant-only');
    // A setting of the connection group, which a distribution of tenants may not have.
    distribution.addPropertyDeletionOverride('DistributionConfig.IPV6Enabled');
    mayChange(settings, this);
    acknowledgeFindings(this.distribution, {
      'AwsSolutions-CFR1': 'As of the sites themselves: public, for users anywhere.',
      'AwsSolutions-CFR2': 'As of the sites themselves: static files and a read-only function.',
      'AwsSolutions-CFR3':
        'Distributions of tenants have no standard logs with an ACL; the first distribution has them.',
      'AwsSolutions-CFR4': 'Each tenant has a certificate of its own; CloudFront sets its TLS versions (1.2 and up).',
    });
  }
}

/** Add and remove domains of projects. */
export function grantDomains(fn: VerenFunction, tenants: SiteTenants): void {
  const { distribution, connectionGroup } = tenants;
  fn.fn.addEnvironment('TENANTS_DISTRIBUTION_ID', distribution.distributionId);
  fn.fn.addEnvironment('CONNECTION_GROUP_ID', connectionGroup.attrId);
  fn.fn.addEnvironment('CONNECTION_ENDPOINT', connectionGroup.attrRoutingEndpoint);
  const arnOf = (resource: string, resourceName: string) =>
    Stack.of(fn).formatArn({
      ...{ service: 'cloudfront', region: '', resource, resourceName },
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  const all = arnOf('distribution-tenant', '*');
  fn.role.addToPolicy(
    new PolicyStatement({
      sid: 'DomainTenants',
      actions: [
        'cloudfront:CreateDistributionTenant',
        'cloudfront:DeleteDistributionTenant',
        'cloudfront:GetDistributionTenantByDomain',
        'cloudfront:GetManagedCertificateDetails',
        'cloudfront:UpdateDistributionTenant',
      ],
      resources: [
        all,
        arnOf('distribution', distribution.distributionId),
        arnOf('connection-group', connectionGroup.attrId),
      ],
    }),
  );
  const certificates = Stack.of(fn).formatArn({
    ...{ service: 'acm', region: 'us-east-1', resource: 'certificate', resourceName: '*' },
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  // CloudFront asks for the certificate of a tenant in the name of who makes the tenant.
  fn.role.addToPolicy(
    new PolicyStatement({
      sid: 'DomainCertificates',
      actions: ['acm:DescribeCertificate', 'acm:RequestCertificate'],
      resources: [certificates],
      conditions: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['cloudfront.amazonaws.com'] } },
    }),
  );
  acknowledgeWildcards(fn.role, [all, certificates], 'Tenants and certificates get their ids when a domain is added.');
}

/** Find tenants that were disabled. CloudFront's lists know no resources. */
export function grantTenantList(fn: VerenFunction): void {
  fn.role.addToPolicy(
    new PolicyStatement({ sid: 'ListTenants', actions: ['cloudfront:ListDistributionTenants'], resources: ['*'] }),
  );
  acknowledgeWildcards(fn.role, ['*'], 'ListDistributionTenants has no resource that it could be limited to.');
}
