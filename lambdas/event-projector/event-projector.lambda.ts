import type { MSKEvent } from 'aws-lambda';
import { openEcs, openLambda, openPush, openS3, openSecrets } from '../shared/adapters/aws/clients.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { apiGatewayNotifier } from '../shared/adapters/aws/notifier.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { embeddedMetrics } from '../shared/metrics.ts';
import { lazyAsync } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';
import { verifyingSecret } from '../shared/signingSecret.ts';
import type { BatchResult } from './project.ts';

const env = readEnv('event-projector');
const log = jsonLog('event-projector');
const measure = embeddedMetrics(env.STAGE, systemClock);

const signing = verifyingSecret(openSecrets(), env.EVENT_SIGNING_SECRET_ARN, systemClock, log);

const projector = lazyAsync(async () => {
  const [{ queue, store, logs, subscriptions }, { composeProjector }] = await Promise.all([
    openRedis(env, log),
    import('./compose.ts'),
  ]);
  return composeProjector(
    {
      queue,
      store,
      logs,
      subscriptions,
      waker: createLambdaWaker(openLambda(), {
        functions: {
          'clone-worker': env.CLONE_WORKER_ARN,
          'build-worker': env.BUILD_WORKER_ARN,
          releaser: env.RELEASER_ARN,
          'git-worker': env.GIT_WORKER_ARN,
        },
        onError: (error) => log.warn('A worker could not be woken, and the next sweep wakes it', { error }),
      }),
      notifier: apiGatewayNotifier(openPush(env.WEBSOCKET_CALLBACK_URL)),
      s3: openS3(),
      ecs: openEcs(),
      clock: systemClock,
      signing,
      measure,
      log,
    },
    {
      place: { bucket: env.BUCKET, ecrUri: env.ECR_URI, runsServices: env.RUN_SERVICES },
      redelivery: env.REDELIVERY,
    },
  );
});

export const handler = withRequestId(async (event: MSKEvent): Promise<BatchResult> => (await projector())(event));
