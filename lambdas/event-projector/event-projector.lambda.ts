import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { ECSClient } from '@aws-sdk/client-ecs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { MSKEvent } from 'aws-lambda';
import { lambdaDoorbell } from '../shared/adapters/aws/doorbell.ts';
import { apiGatewayNotifier } from '../shared/adapters/aws/notifier.ts';
import { s3Archive } from '../shared/archive.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog } from '../shared/logger.ts';
import { rest } from '../shared/logs/followLog.ts';
import { embeddedMetrics } from '../shared/metrics.ts';
import { once } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';
import { verifyingSecret } from '../shared/signingSecret.ts';
import { stopBuilds } from '../shared/stopBuilds.ts';
import { measuredStore } from './measuredStore.ts';
import { parkInBucket } from './park.ts';
import { type BatchResult, type ProjectorDeps, project } from './project.ts';
import { countRefused } from './refuse.ts';

const env = readEnv('event-projector');
const log = jsonLog('event-projector');
const measure = embeddedMetrics(env.STAGE, systemClock);

const signing = verifyingSecret(new SecretsManagerClient({}), env.EVENT_SIGNING_SECRET_ARN, systemClock, log);

const deps = once(async (): Promise<ProjectorDeps> => {
  const { queue, store, logs, subscriptions } = await openRedis(env, log);
  const s3 = new S3Client({});
  const archive = s3Archive(s3, env.BUCKET);
  return {
    queue,
    store: measuredStore(store, measure),
    logs,
    subscriptions,
    archive,
    archiveLog: (id) => archive.writeLog(id, rest({ logs, archive }, id, 0)),
    doorbell: lambdaDoorbell(new LambdaClient({}), {
      functions: { 'clone-worker': env.CLONE_WORKER_ARN, 'build-worker': env.BUILD_WORKER_ARN },
      onError: (e) => log('a doorbell was not heard; the sweep will ring again', e),
    }),
    notifier: apiGatewayNotifier(new ApiGatewayManagementApiClient({ endpoint: env.WEBSOCKET_CALLBACK_URL })),
    stopBuilds: stopBuilds({ queue, ecs: new ECSClient({}) }),
    park: parkInBucket(s3, env.BUCKET, measure),
    refuse: countRefused(measure, log, systemClock),
    clock: systemClock,
    signing,
    place: { bucket: env.BUCKET, ecrUri: env.ECR_URI },
    log,
  };
});

export const handler = async (event: MSKEvent): Promise<BatchResult> => project(await deps(), event);
