import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { ECSClient, ECSClientConfig } from '@aws-sdk/client-ecs';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { lazyAsync } from '../../once.ts';

/** What we use of each client of the AWS SDK: a whole client fits, and so does one that is loaded at its first call. */
export type S3Calls = Pick<S3Client, 'send'>;
export type EcsCalls = Pick<ECSClient, 'send'>;
export type LambdaCalls = Pick<LambdaClient, 'send'>;
export type SecretsCalls = Pick<SecretsManagerClient, 'send'>;
export type StsCalls = Pick<STSClient, 'send'>;
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

export const openSecrets = (): SecretsCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient({}));

export const openSts = (config: STSClientConfig = {}): StsCalls =>
  lazyClient(async () => new (await import('@aws-sdk/client-sts')).STSClient(config));

/** The management API of the WebSocket API at this address. */
export const openPush = (endpoint: string): PushCalls =>
  lazyClient(async () => {
    const { ApiGatewayManagementApiClient } = await import('@aws-sdk/client-apigatewaymanagementapi');
    return new ApiGatewayManagementApiClient({ endpoint });
  });
