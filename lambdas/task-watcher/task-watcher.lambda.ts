import { openEcs, openLambda, openMails, openS3 } from '../shared/adapters/aws/clients.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { ecrImageRemover, ecrImages } from '../shared/adapters/aws/images.ts';
import { openAwsServices } from '../shared/adapters/aws/services/openAwsServices.ts';
import { snsMails } from '../shared/adapters/aws/snsMails.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { embeddedMetrics } from '../shared/metrics.ts';
import { lazyAsync } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';

const env = readEnv('task-watcher');
const log = jsonLog('task-watcher');
const measure = embeddedMetrics(env.STAGE, systemClock);

const watcher = lazyAsync(async () => {
  const [{ queue, store, logs }, kafka, { composeTaskWatcher }, { openRoutes }] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    import('./compose.ts'),
    import('../shared/sites/openRoutes.ts'),
  ]);
  const s3 = openS3();
  return composeTaskWatcher(
    {
      queue,
      store,
      logs,
      bus: openSignedBus(kafka, env, 'veren-task-watcher'),
      waker: createLambdaWaker(openLambda(), {
        functions: {
          'clone-worker': env.CLONE_WORKER_ARN,
          'build-worker': env.BUILD_WORKER_ARN,
          releaser: env.RELEASER_ARN,
          'git-worker': env.GIT_WORKER_ARN,
        },
        onError: (error) => log.warn('A worker could not be woken, and the next sweep wakes it', { error }),
      }),
      ecs: openEcs(),
      s3,
      ...openRoutes(env, s3),
      services: openAwsServices(env),
      mails: snsMails(openMails(), env.MAIL_TOPICS_ARN),
      findImage: ecrImages(env.ECR_URI),
      removeImages: ecrImageRemover(env.ECR_URI),
      clock: systemClock,
      measure,
      log,
    },
    {
      bucket: env.BUCKET,
      clusters: env.BUILDER_CLUSTERS,
      // Lambda sets the region.
      ...(process.env.AWS_REGION !== undefined && {
        accounts: {
          region: process.env.AWS_REGION,
          network: env.BUILDER_PUBLIC_IP ? 'public address' : 'NAT gateway',
        },
      }),
      timeoutSeconds: { frontend: env.FRONTEND_TIMEOUT, backend: env.BACKEND_TIMEOUT },
    },
  );
});

/** Handles ECS's state changes and the schedule. After an exception EventBridge delivers the event again. */
export const handler = withRequestId(async (event: unknown): Promise<void> => {
  await (await watcher())(event);
});
