import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { HANDOVER_PREFIX, UPLOADS_PREFIX } from '../../contract/names.ts';
import { UPLOAD_DAYS } from '../../contract/uploads.ts';
import type { Config } from '../config.ts';
import { acknowledgeFindings } from './acknowledge.ts';
import { mayChange } from './cross-stack.ts';
import type { StageSettings } from './stage-settings.ts';

export interface ArtifactBucketProps {
  readonly settings: StageSettings;
  /** `{account}` and `{region}` are filled in: names are global in S3. */
  readonly bucketName: string;
  readonly lifecycle: Config['lifecycle'];
  /** The VPC that builders read their hand-overs from, where it has an endpoint for S3. @default - any network */
  readonly handoverVpcId?: string | undefined;
}

/** The bucket of sites, immutable copies, records, logs and caches, and the bucket of its access logs. Neither is public. */
export class ArtifactBucket extends Construct {
  readonly bucket: Bucket;
  /** The bucket's name as text, not as a reference, so that ARNs in other stacks are readable. */
  readonly bucketName: string;
  readonly accessLogs: Bucket;

  constructor(scope: Construct, id: string, { settings, bucketName, lifecycle, handoverVpcId }: ArtifactBucketProps) {
    super(scope, id);
    this.bucketName = bucketName.replaceAll('{account}', Aws.ACCOUNT_ID).replaceAll('{region}', Aws.REGION);
    const destroyed = settings.removalPolicy === RemovalPolicy.DESTROY;
    const common = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: settings.removalPolicy,
      autoDeleteObjects: destroyed && settings.stage !== 'local',
    };
    this.accessLogs = new Bucket(this, 'AccessLogs', {
      ...common,
      // CloudFront's standard logs are delivered with an ACL.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ id: 'expire', expiration: Duration.days(lifecycle.logDays) }],
    });
    // Other stacks' distributions write into it, where they have logs.
    mayChange(settings, this.accessLogs);
    acknowledgeFindings(this.accessLogs, {
      'AwsSolutions-S1': 'The bucket that access logs go to; logging it would log the logging.',
    });
    this.bucket = new Bucket(this, 'Bucket', {
      ...common,
      bucketName: this.bucketName,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: false, // each deployment keeps its immutable copy; versions would keep every cache too
      serverAccessLogsBucket: this.accessLogs as IBucket,
      serverAccessLogsPrefix: 's3/',
      lifecycleRules: rules(lifecycle),
    });
    if (handoverVpcId) this.keepHandoversIn(handoverVpcId);
  }

  /** Everybody who may describe tasks can see the URL of a hand-over, so it works inside of this VPC only. */
  private keepHandoversIn(vpcId: string): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'HandoversStayInTheVpc',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources: [this.bucket.arnForObjects(`${HANDOVER_PREFIX}*`)],
        conditions: { StringNotEquals: { 'aws:SourceVpc': vpcId } },
      }),
    );
  }

  /** Objects below a prefix: `__logs/*`. */
  arnForObjects(pattern: string): string {
    return `${this.bucketArn}/${pattern}`;
  }

  get bucketArn(): string {
    return Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource: this.bucketName });
  }
}

/**
 * Records and `__deployments/` never expire by age: production is served from there, however old its release is. What is
 * not needed any more is removed by the platform, which knows that.
 */
const rules = (lifecycle: Config['lifecycle']): LifecycleRule[] => [
  { id: 'caches', prefix: '__cache/', expiration: Duration.days(lifecycle.cacheDays) },
  { id: 'logs', prefix: '__logs/', expiration: Duration.days(lifecycle.logDays) },
  // Hand-overs are read within minutes. One that was not read holds expired credentials, but variables that are still
  // secret.
  { id: 'handovers', prefix: HANDOVER_PREFIX, expiration: Duration.days(1) },
  { id: 'uploads', prefix: UPLOADS_PREFIX, expiration: Duration.days(UPLOAD_DAYS) },
  { id: 'broken-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
];
