import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginRequestPolicy,
  OriginSslPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Config } from '../../config.ts';
import { acknowledgeFindings } from '../acknowledge.ts';
import { ROOT } from '../bundle.ts';
import { accountWideName, type StageSettings } from '../stage-settings.ts';
import { type DashboardBuild, DashboardFiles } from './dashboard-files.ts';

export interface DashboardHostingProps {
  readonly settings: StageSettings;
  readonly dashboard: Config['dashboard'];
  readonly build: DashboardBuild;
  /** The HTTP API, whose page of documents is led to the one here. */
  readonly api: HttpApi;
  /** Where clients reach the three APIs: `https://` and `wss://`. */
  readonly apiUrl: string;
  readonly webSocketUrl: string;
  readonly logStreamUrl: string;
  /** Absent: requests are not logged. */
  readonly accessLogs: IBucket | undefined;
}

/** The code of the function in front; its comments are dropped, since CloudFront takes 10 KB at most. */
export const dashboardRequestCode = (): string =>
  readFileSync(join(ROOT, 'lib/constructs/dashboard/viewer-request.js'), 'utf8').replaceAll(
    /^\s*(\/\/|\/\*\*).*\n/gm,
    '',
  );

/**
 * The dashboard, the reference page and the APIs behind one host name, laid out as on the laptop: no page of another
 * origin needs to be let in, and none is (docs/decisions/dashboard-on-aws.md).
 */
export class DashboardHosting extends Construct {
  readonly distribution: Distribution;
  /** `https://`, without a slash at its end. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: DashboardHostingProps) {
    super(scope, id);
    const { settings, build } = props;
    const { domain } = props.dashboard;
    // Everything in it comes from this repository, so it goes with the stack whatever happens to data.
    const bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledgeFindings(bucket, {
      'AwsSolutions-S1': 'It holds files that everybody may see; CloudFront, its only reader, logs who asked.',
    });
    const request = new CloudFrontFunction(this, 'ViewerRequest', {
      functionName: accountWideName(settings, 'dashboard'),
      runtime: FunctionRuntime.JS_2_0,
      comment: 'Paths of pages and of the APIs behind the dashboard',
      code: FunctionCode.fromInline(dashboardRequestCode()),
    });
    const common = {
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      functionAssociations: [{ function: request, eventType: FunctionEventType.VIEWER_REQUEST }],
    };
    const files = S3BucketOrigin.withOriginAccessControl(bucket as IBucket);
    const behaviorOf = (name: string, policy: string): BehaviorOptions => ({
      ...common,
      origin: files,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
      compress: true,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      responseHeadersPolicy: this.headers(name, policy),
    });
    const behind = (url: string): BehaviorOptions => ({
      ...common,
      origin: new HttpOrigin(Fn.select(2, Fn.split('/', url)), {
        originSslProtocols: [OriginSslPolicy.TLS_V1_2],
        // Streams of logs say at least every few seconds that they are there.
        readTimeout: Duration.seconds(60),
      }),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      compress: false,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    });
    const reference = behaviorOf('Reference', build.policies.reference);
    const pages = behaviorOf('Pages', build.policies.dashboard);
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `Veren ${settings.stage}: dashboard`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_ALL,
      ...(domain && {
        domainNames: [domain.name],
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      }),
      ...(props.accessLogs && { enableLogging: true, logBucket: props.accessLogs, logFilePrefix: 'dashboard/' }),
      defaultBehavior: behind(props.apiUrl),
      additionalBehaviors: {
        '/dashboard': pages,
        '/dashboard/*': pages,
        '/docs': reference,
        '/docs/*': reference,
        '/ws': behind(props.webSocketUrl),
        '/follow/*': behind(props.logStreamUrl),
      },
    });
    new DashboardFiles(this, 'Files', { settings, bucket: bucket as IBucket, build });
    this.url = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
    if (domain) this.pointDomain(domain);
    this.leadToReference(props.api);
    acknowledgeFindings(this.distribution, {
      'AwsSolutions-CFR1': 'Who may use the platform is decided by tokens, not by the country somebody is in.',
      'AwsSolutions-CFR2':
        'Static files, and the API, whose function checks every token and body as it does without CloudFront. docs/operations.md says how to add a WAF.',
      ...(!domain && {
        'AwsSolutions-CFR4':
          "The distribution's own certificate allows no minimum TLS version; configure dashboard.domain for TLS 1.2.",
      }),
      ...(!props.accessLogs && { 'AwsSolutions-CFR3': 'Switched off by configuration (sites.accessLogs).' }),
    });
  }

  /** What the browser may do with files from the bucket, which has no place for such headers. */
  private headers(name: string, contentSecurityPolicy: string): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, `${name}Headers`, {
      comment: 'Scripts and connections of this host alone, and no frame around it',
      securityHeadersBehavior: {
        contentSecurityPolicy: { contentSecurityPolicy, override: true },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: false, override: true },
      },
      customHeadersBehavior: {
        customHeaders: [
          { header: 'Cross-Origin-Opener-Policy', value: 'same-origin', override: true },
          { header: 'Cross-Origin-Resource-Policy', value: 'same-origin', override: true },
        ],
      },
    });
  }

  /** The API's own address shows the reference page too, without a function that would have to hold it. */
  private leadToReference(api: HttpApi): void {
    for (const [id, path] of [
      ['Page', '/docs'],
      ['Assets', '/docs/{proxy+}'],
    ] as const)
      api.addRoutes({
        path,
        methods: [HttpMethod.GET],
        integration: new HttpUrlIntegration(
          `Reference${id}`,
          `https://${this.distribution.distributionDomainName}${path.replace('{proxy+}', '{proxy}')}`,
        ),
      });
  }

  private pointDomain(domain: NonNullable<Config['dashboard']['domain']>): void {
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.hostedZoneName,
    });
    const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution));
    new ARecord(this, 'Ipv4', { zone, recordName: `${domain.name}.`, target });
    new AaaaRecord(this, 'Ipv6', { zone, recordName: `${domain.name}.`, target });
  }
}
