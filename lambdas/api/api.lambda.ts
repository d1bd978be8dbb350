import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { openEcs, openLambda, openS3, openSecrets } from '../shared/adapters/aws/clients.ts';
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
import { gatewayOrigin } from './linkOrigin.ts';

const env = readEnv('api');
const log = jsonLog('api');
const clock = systemClock;

const api = lazyAsync(async () => {
  const [{ queue, store, logs, tickets }, kafka, { composeApi }] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    import('./compose.ts'),
  ]);
  const app = composeApi(
    {
      queue,
      store,
      logs,
      tickets,
      bus: openSignedBus(kafka, env, 'veren-api'),
      waker: createLambdaWaker(openLambda(), {
        functions: { 'clone-worker': env.CLONE_WORKER_ARN, 'build-worker': env.BUILD_WORKER_ARN },
        onError: (error) => log.warn('A worker could not be woken, and the next sweep wakes it', { error }),
      }),
      secretBox: secretBox(secretKeys(openSecrets(), env.DATA_KEY_SECRET_ARN, clock)),
      authenticate: authenticateByHash(tokenHashes(openSecrets(), env.TOKENS_SECRET_ARN, clock)),
      s3: openS3(),
      ecs: openEcs(),
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
