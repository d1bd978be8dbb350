import { Duration } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  type AddBehaviorOptions,
  AllowedMethods,
  type BehaviorOptions,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HttpVersion,
  type IOrigin,
  KeyValueStore,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, OriginGroup, S3BucketOrigin, VpcOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
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
import type { ServiceBalancer } from '../services/service-balancer.ts';
import { accountWideName, type StageSettings } from '../stage-settings.ts';
import { VerenFunction } from '../veren-function.ts';
import { SITE_ORIGINS, viewerRequestCode, viewerResponseCode } from './edge-code.ts';
import { SERVICE_HEADER, SITE_HEADERS, SITE_OBJECTS } from './site-table.ts';
import { SiteTenants } from './tenants.ts';

export interface SiteHostingProps {
  readonly settings: StageSettings;
  readonly sites: Extract<Config['sites'], { kind: 'cloudfront' }>;
  readonly bucket: ArtifactBucket;
  readonly accessLogs: IBucket;
  /**
   * Requests of every method reach running backends.
   * @default false
   */
  readonly services?: boolean;
  /**
   * Leads to backends that are always on.
   * @default - none are
   */
  readonly balancer?: ServiceBalancer | undefined;
  /**
   * Of the fallback function: anybody can ask for pages that do not exist.
   * @default - the account's limit
   */
  readonly reservedConcurrency?: number | undefined;
}

/** The longest that CloudFront waits for an answer to begin without a raised quota. */
const LONGEST_WAIT = Duration.seconds(60);

const balancerOrigin = ({ origin, domainName }: ServiceBalancer): IOrigin =>
  VpcOrigin.withVpcOrigin(origin, {
    originId: SITE_ORIGINS.balancer,
    domainName,
    readTimeout: LONGEST_WAIT,
    keepaliveTimeout: LONGEST_WAIT,
  });

/** A backend gets every method, header, cookie and query; the viewer-request function takes them from a request to S3. */
const FOR_BACKENDS = {
  allowedMethods: AllowedMethods.ALLOW_ALL,
  originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
};

/**
 * The live sites: CloudFront in front of the private bucket, one distribution for all projects.
 *
 * A request takes the way viewer-request function (host or path → route in the KeyValueStore → key) → S3 by origin
 * access control. What S3 does not have goes to the site function, which knows folders, clean URLs, `404.html`, single-page
 * applications and the site's `_redirects`; error pages of a distribution could not, since they are one for all projects.
 * Where a site's rules go before its files, the site function is asked first.
 */
export class SiteHosting extends Construct {
  readonly distribution: Distribution;
  /** Where a project's site is served; holds `{projectId}`. */
  readonly urlTemplate: string;
  readonly fallback: VerenFunction;
  /** Which host shows which deployment; written by who may (`grantSites`). */
  readonly table: KeyValueStore;
  /** Where domains of projects are served. */
  readonly tenants: SiteTenants | undefined;

  constructor(scope: Construct, id: string, props: SiteHostingProps) {
    super(scope, id);
    const { settings, sites, services = false, balancer } = props;
    const { bucket } = props.bucket;
    const { domain } = sites;
    this.fallback = this.makeFallback(props);
    this.table = new KeyValueStore(this, 'Table', {
      keyValueStoreName: accountWideName(settings, 'sites'),
      comment: 'Host of a site to the deployment that it shows',
    });
    mayChange(settings, this.table);
    const viewerRequest = new CloudFrontFunction(this, 'ViewerRequest', {
      functionName: accountWideName(settings, 'sites'),
      runtime: FunctionRuntime.JS_2_0,
      comment: 'Host or path of a site to its place in the bucket',
      code: FunctionCode.fromInline(
        viewerRequestCode(domain?.name ?? '', { services: balancer ? 'balanced' : services }),
      ),
      keyValueStore: this.table,
    });
    const viewerResponse = new CloudFrontFunction(this, 'ViewerResponse', {
      functionName: accountWideName(settings, 'site-answers'),
      runtime: FunctionRuntime.JS_2_0,
      comment: 'What is not the same for every host that shows a deployment',
      code: FunctionCode.fromInline(viewerResponseCode(domain?.name ?? '')),
    });
    const files = this.behavior(viewerRequest, viewerResponse, services);
    const origins = this.originMakers(bucket);
    const answerWith = (): BehaviorOptions =>
      services ? { ...files, ...FOR_BACKENDS, origin: origins.files() } : { ...files, origin: origins.group() };
    // A behavior whose origin is a group takes no POST, so the viewer-request function makes the group for requests of sites.
    // It can name origins of the distribution's behaviors only, hence one for a path that nobody asks for.
    const nameOrigins = (distribution: Distribution) => {
      if (services) distribution.addBehavior('/.veren/origins', origins.siteFunction(), files);
      if (balancer) distribution.addBehavior('/.veren/balancer', balancerOrigin(balancer), files);
    };
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
      defaultBehavior: answerWith(),
    });
    nameOrigins(this.distribution);
    mayChange(settings, this.distribution);
    this.tenants = sites.ownDomains
      ? new SiteTenants(this, 'Tenants', { settings, behavior: answerWith() })
      : undefined;
    if (this.tenants) nameOrigins(this.tenants.distribution);
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

  /** How requests are answered, without the origin: the same for both distributions. */
  private behavior(
    viewerRequest: CloudFrontFunction,
    viewerResponse: CloudFrontFunction,
    services: boolean,
  ): AddBehaviorOptions {
    return {
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
        // The viewer-request function drops the query where no rule can ask for it, and sets the headers itself.
        queryStringBehavior: CacheQueryStringBehavior.all(),
        headerBehavior: CacheHeaderBehavior.allowList(...SITE_HEADERS, ...(services ? [SERVICE_HEADER] : [])),
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
      functionAssociations: [
        { function: viewerRequest, eventType: FunctionEventType.VIEWER_REQUEST },
        { function: viewerResponse, eventType: FunctionEventType.VIEWER_RESPONSE },
      ],
    };
  }

  /** S3, and the fallback for missing keys. Without the right to list, S3 answers 403 for a missing key. */
  private originMakers(bucket: Bucket) {
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
    const files = (): IOrigin => S3BucketOrigin.withOriginAccessControl(reference, { originId: SITE_ORIGINS.files });
    const siteFunction = (): IOrigin =>
      FunctionUrlOrigin.withOriginAccessControl(url, { originId: SITE_ORIGINS.siteFunction });
    const group = (): IOrigin =>
      new OriginGroup({
        primaryOrigin: files(),
        fallbackOrigin: siteFunction(),
        fallbackStatusCodes: [403, 404],
      });
    return { files, siteFunction, group };
  }

  private allowReading(bucket: Bucket): void {
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'LiveSites',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: SITE_OBJECTS.map((pattern) => bucket.arnForObjects(pattern)),
        conditions: {
          StringEquals: {
            'AWS:SourceArn': this.tenants
              ? [this.distribution.distributionArn, this.tenants.distribution.distributionArn]
              : this.distribution.distributionArn,
          },
        },
      }),
    );
  }

  private makeFallback({ settings, sites, bucket, reservedConcurrency }: SiteHostingProps): VerenFunction {
    const fallback = new VerenFunction(this, 'Fallback', {
      name: 'site-fallback',
      settings,
      description: 'Pages that have no file of their own: folders, clean URLs, 404.html, single-page applications',
      environment: { BUCKET: bucket.bucketName, SITES_BY_PATH: sites.domain ? 'false' : 'true' },
      timeout: Duration.seconds(10),
      memoryMiB: 256,
      ...(reservedConcurrency !== undefined && { reservedConcurrency }),
    });
    grantBucket(fallback.role, bucket, { read: [...SITE_OBJECTS] });
    return fallback;
  }

  private pointDomain(domain: NonNullable<SiteHostingProps['sites']['domain']>): void {
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.hostedZoneName,
    });
    const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution));
    new ARecord(this, 'Ipv4', { zone, recordName: `*.${domain.name}.`, target });
    new AaaaRecord(this, 'Ipv6', { zone, recordName: `*.${domain.name}.`, target });
  }
}
