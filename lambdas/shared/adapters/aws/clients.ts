import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { CloudFrontClient, CloudFrontClientConfig } from '@aws-sdk/client-cloudfront';
import type {
  CloudFrontKeyValueStoreClient,
  CloudFrontKeyValueStoreClientConfig,
} from '@aws-sdk/client-cloudfront-keyvaluestore';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { ECSClient, ECSClientConfig } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { lazyAsync } from '../../once.ts';

/** What we use of each client of the AWS SDK: a whole client fits, and so does one that is loaded at its first call. */
export type S3Calls = Pick<S3Client, 'send'>;
export type EcsCalls = Pick<ECSClient, 'send'>;
export type LambdaCalls = Pick<LambdaClient, 'send'>;
export type SecretsCalls = Pick<SecretsManagerClient, 'send'>;
export type StsCalls = Pick<STSClient, 'send'>;
export type CloudFrontCalls = Pick<CloudFrontClient, 'send'>;
export type SiteTableCalls = Pick<CloudFrontKeyValueStoreClient, 'send'>;
export type IamCalls = Pick<IAMClient, 'send'>;
export type LogCalls = Pick<CloudWatchLogsClient, 'send'>;
export type MetricCalls = Pick<CloudWatchClient, 'send'>;
export type SchedulerCalls = Pick<SchedulerClient, 'send'>;
export type MailCalls = Pick<SNSClient, 'send'>;
export type BalancerCalls = Pick<ElasticLoadBalancingV2Client, 'send'>;
export type ScalingCalls = Pick<ApplicationAutoScalingClient, 'send'>;
export type ParameterCalls = Pick<SSMClient, 'send'>;
export type PushCalls = Pick<ApiGatewayManagementApiClient, 'send'>;

interface Sender {
  send(...args: never[]): unknown;
}

/** A client whose library is loaded at its first call: a cold start that does not need it does not wait for it. */
function lazyClient<Client extends Sender>(make: () => Promise<Client>): Pick<Client, 'send'> {
  const openClient = lazyAsync(make);
  const send = async (...args: never[]) => (await openClient()).send(...args);
  return { send } as Pick<Client, 'send'>;
}

export const openS3 = (config: S3ClientConfig = {}): S3Calls =>
  lazyClient(async () => new (await import('@aws-sdk/client-s3')).S3Client(config));

export const openEcs = (config: ECSClientConfig = {}): EcsCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-ecs')).ECSClient(config));

export const openLambda = (): LambdaCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-lambda')).LambdaClient({}));

export const openIam = (): IamCalls => lazyClient(async () => new (await import('@aws-sdk/client-iam')).IAMClient({}));

export const openLogs = (): LogCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-cloudwatch-logs')).CloudWatchLogsClient({}));

export const openMetrics = (): MetricCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-cloudwatch')).CloudWatchClient({}));

export const openScheduler = (): SchedulerCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-scheduler')).SchedulerClient({}));

export const openBalancer = (): BalancerCalls =>
  lazyClient(
    async () => new (await import('@aws-sdk/client-elastic-load-balancing-v2')).ElasticLoadBalancingV2Client({}),
  );

export const openScaling = (): ScalingCalls =>
  lazyClient(
    async () => new (await import('@aws-sdk/client-application-auto-scaling')).ApplicationAutoScalingClient({}),
  );

/** Writing parameters is limited to a few a second in an account, and a version may have many. */
export const openParameters = (): ParameterCalls =>
  lazyClient(
    async () => new (await import('@aws-sdk/client-ssm')).SSMClient({ maxAttempts: 10, retryMode: 'adaptive' }),
  );

export const openSecrets = (): SecretsCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient({}));

export const openMails = (): MailCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-sns')).SNSClient({}));

export const openSts = (config: STSClientConfig = {}): StsCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-sts')).STSClient(config));

export const openCloudFront = (config: CloudFrontClientConfig = {}): CloudFrontCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-cloudfront')).CloudFrontClient(config));

/** The data plane of CloudFront's KeyValueStore, which knows signatures for all regions only (SigV4A). */
export const openSiteTable = (config: CloudFrontKeyValueStoreClientConfig = {}): SiteTableCalls =>
  lazyClient(async () => {
    // Imported for its effect: the SDK finds the signer that it makes known.
    await import('@aws-sdk/signature-v4a');
    const { CloudFrontKeyValueStoreClient } = await import('@aws-sdk/client-cloudfront-keyvaluestore');
    return new CloudFrontKeyValueStoreClient(config);
  });

/** The management API of the WebSocket API at this address. */
export const openPush = (endpoint: string): PushCalls =>
  lazyClient(async () => {
    const { ApiGatewayManagementApiClient } = await import('@aws-sdk/client-apigatewaymanagementapi');
    return new ApiGatewayManagementApiClient({ endpoint });
  });
