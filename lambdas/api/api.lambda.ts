import { ECSClient } from '@aws-sdk/client-ecs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { authenticateByHash } from '../shared/http/auth.ts';
import { jsonLog } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys, tokenHashes } from '../shared/secrets.ts';
import { composeApi } from './compose.ts';
import { gatewayOrigin } from './linkOrigin.ts';

const env = readEnv('api');
const log = jsonLog('api');
const clock = systemClock;

const api = lazyAsync(async () => {
  const [{ queue, store, logs, tickets }, kafka] = await Promise.all([openRedis(env, log), kafkaEnv(env)]);
  const app = composeApi(
    {
      queue,
      store,
      logs,
      tickets,
      bus: openSignedBus(kafka, env, 'veren-api'),
      waker: createLambdaWaker(new LambdaClient({}), {
        functions: { 'clone-worker': env.CLONE_WORKER_ARN, 'build-worker': env.BUILD_WORKER_ARN },
        onError: (error) => log.warn('A worker could not be woken, and the next sweep wakes it', { error }),
      }),
      secretBox: secretBox(secretKeys(new SecretsManagerClient({}), env.DATA_KEY_SECRET_ARN, clock)),
      authenticate: authenticateByHash(tokenHashes(new SecretsManagerClient({}), env.TOKENS_SECRET_ARN, clock)),
      s3: new S3Client({}),
      ecs: new ECSClient({}),
      clock,
      log,
    },
    {
      bucket: env.BUCKET,
      gitPolicy: gitPolicy(env.GIT_HOSTS),
      supersede: env.SUPERSEDE,
      linkOrigin: gatewayOrigin,
      siteAddresses: async (projectId) => ({ url: env.SITE_URL_TEMPLATE.replaceAll('{projectId}', projectId) }),
      // Function URLs end with a slash.
      ...(env.LOG_STREAM_URL && { logStreamUrl: env.LOG_STREAM_URL.replace(/\/$/, '') }),
    },
  );
  return handle(app);
});

export const handler = async (event: LambdaEvent, context?: LambdaContext) => (await api())(event, context);
