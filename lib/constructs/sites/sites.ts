import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HttpVersion,
  type IOrigin,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, OriginGroup, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Config } from '../../config.ts';
import { acknowledgeFindings } from '../acknowledge.ts';
import type { ArtifactBucket } from '../artifact-bucket.ts';
import { mayChange } from '../cross-stack.ts';
import { grantBucket } from '../grants.ts';
import { accountWideName, type StageSettings } from '../stage-settings.ts';
import { VerenFunction } from '../veren-function.ts';

export interface SitesProps {
  readonly settings: StageSettings;
  readonly sites: Extract<Config['sites'], { kind: 'cloudfront' }>;
  readonly bucket: ArtifactBucket;
  readonly accessLogs: IBucket;
  /**
   * Of the fallback function: anybody can ask for pages that do not exist.
   * @default - the account's limit
   */
  readonly reservedConcurrency?: number | undefined;
}

/**
 * The live sites: CloudFront in front of the private bucket, one distribution for all projects.
 *
 * A request takes the way viewer-request function (host or path → key) → S3 by origin access control. What S3 does not
 * have goes to the fallback function, which knows folders, clean URLs, `404.html` and single-page applications; error pages of a
 * distribution could not, since they are one for all projects.
 */
export class Sites extends Construct {
  readonly distribution: Distribution;
  /** Where a project's site is served; holds `{projectId}`. */
  readonly urlTemplate: string;
  readonly fallback: VerenFunction;

  constructor(scope: Construct, id: string, props: SitesProps) {
    super(scope, id);
    const { settings, sites } = props;
    const { bucket } = props.bucket;
    const { domain } = sites;
    this.fallback = this.makeFallback(props);
    const viewerRequest = new CloudFrontFunction(this, 'ViewerRequest', {
      functionName: accountWideName(settings, 'sites'),
      runtime: FunctionRuntime.JS_2_0,
      comment: 'Host or path of a site to its place in the bucket',
      code: FunctionCode.fromInline(viewerRequestCode(domain?.name ?? '')),
    });
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `Veren ${settings.stage}: live sites`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_ALL,
      ...(domain && {
        domainNames: [`*.${domain.name}`],
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      }),
      ...(sites.accessLogs && { enableLogging: true, logBucket: props.accessLogs, logFilePrefix: 'sites/' }),
      defaultBehavior: {
        origin: this.origin(bucket),
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        compress: true,
        cachePolicy: new CachePolicy(this, 'CachePolicy', {
          comment: 'As long as the publisher said; HTML is revalidated',
          minTtl: Duration.seconds(0),
          defaultTtl: Duration.seconds(0),
          maxTtl: Duration.days(365),
          enableAcceptEncodingGzip: true,
          enableAcceptEncodingBrotli: true,
        }),
        responseHeadersPolicy: new ResponseHeadersPolicy(this, 'Headers', {
          comment: 'Safe defaults that a site cannot be broken by',
          securityHeadersBehavior: {
            contentTypeOptions: { override: true },
            strictTransportSecurity: {
              accessControlMaxAge: Duration.days(365),
              includeSubdomains: false,
              override: false,
            },
            frameOptions: { frameOption: HeadersFrameOption.SAMEORIGIN, override: false },
          },
        }),
        functionAssociations: [{ function: viewerRequest, eventType: FunctionEventType.VIEWER_REQUEST }],
      },
    });
    mayChange(settings, this.distribution);
    this.allowReading(bucket);
    this.urlTemplate = domain
      ? `https://{projectId}.${domain.name}`
      : `https://${this.distribution.distributionDomainName}/{projectId}/`;
    if (domain) this.pointDomain(domain);
    acknowledgeFindings(this.distribution, {
      'AwsSolutions-CFR1':
        'Sites are public and belong to users anywhere; where they may be seen is not for the platform to say.',
      'AwsSolutions-CFR2':
        'Static files and a read-only fallback: there is no input for a WAF to inspect. docs/operations.md says how to add one.',
      ...(!domain && {
        'AwsSolutions-CFR4':
          "The distribution's own certificate allows no minimum TLS version; configure sites.domain for TLS 1.2.",
      }),
      ...(!sites.accessLogs && { 'AwsSolutions-CFR3': 'Switched off by configuration (sites.accessLogs).' }),
    });
  }

  /** S3, and the fallback for missing keys. Without the right to list, S3 answers 403 for a missing key. */
  private origin(bucket: Bucket): IOrigin {
    // By reference: the construct would add a policy for the whole bucket, and sites are only one part of it.
    const reference = Bucket.fromBucketAttributes(this, 'Bucket', {
      bucketArn: bucket.bucketArn,
      bucketRegionalDomainName: bucket.bucketRegionalDomainName,
    });
    acknowledgeFindings(this, {
      '@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac':
        'allowReading() adds the policy, for sites only.',
    });
    const url = this.fallback.fn.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    return new OriginGroup({
      primaryOrigin: S3BucketOrigin.withOriginAccessControl(reference),
      fallbackOrigin: FunctionUrlOrigin.withOriginAccessControl(url),
      fallbackStatusCodes: [403, 404],
    });
  }

  private allowReading(bucket: Bucket): void {
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LiveSites',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects('__outputs/*')],
        conditions: { StringEquals: { 'AWS:SourceArn': this.distribution.distributionArn } },
      }),
    );
  }

  private makeFallback({ settings, sites, bucket, reservedConcurrency }: SitesProps): VerenFunction {
    const fallback = new VerenFunction(this, 'Fallback', {
      name: 'site-fallback',
      settings,
      description: 'Pages that have no file of their own: folders, clean URLs, 404.html, single-page applications',
      environment: { BUCKET: bucket.bucketName, SITES_BY_PATH: sites.domain ? 'false' : 'true' },
      timeout: Duration.seconds(10),
      memoryMiB: 256,
      ...(reservedConcurrency !== undefined && { reservedConcurrency }),
    });
    grantBucket(fallback.role, bucket, { read: ['__outputs/*'] });
    return fallback;
  }

  private pointDomain(domain: NonNullable<SitesProps['sites']['domain']>): void {
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.hostedZoneName,
    });
    const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution));
    new ARecord(this, 'Ipv4', { zone, recordName: `*.${domain.name}.`, target });
    new AaaaRecord(this, 'Ipv6', { zone, recordName: `*.${domain.name}.`, target });
  }
}

/** The function's code for a domain; comments are dropped, since CloudFront takes 10 KB at most. */
export function viewerRequestCode(domain: string): string {
  const file = join(dirname(fileURLToPath(import.meta.url)), 'viewer-request.js');
  return readFileSync(file, 'utf8')
    .replaceAll(/^\s*(\/\/|\/\*\*).*\n/gm, '')
    .replace('__DOMAIN__', domain);
}
