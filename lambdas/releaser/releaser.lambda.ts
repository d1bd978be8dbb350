import { openLambda, openPush, openS3 } from '../shared/adapters/aws/clients.ts';
import { type DrainContext, drainWithinTime } from '../shared/adapters/aws/drain.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { apiGatewayNotifier } from '../shared/adapters/aws/notifier.ts';
import { systemClock } from '../shared/clock.ts';
import { openDocuments } from '../shared/documents.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { openRedis } from '../shared/openRedis.ts';

const env = readEnv('releaser');
const log = jsonLog('releaser');

const onError = (error: unknown) => log.warn('A worker could not be woken, and the next sweep wakes it', { error });

const releaser = lazyAsync(async () => {
  const s3 = openS3();
  const [{ queue, store, subscriptions }, { composeReleaser }, { openRunner }, { openRoutes }, { shownDomains }] =
    await Promise.all([
      openRedis(env, log),
      import('./compose.ts'),
      import('./openRunner.ts'),
      import('../shared/sites/openRoutes.ts'),
      import('../shared/domains/followRelease.ts'),
    ]);
  return composeReleaser(
    {
      runner: await openRunner(env, s3),
      queue,
      waker: createLambdaWaker(openLambda(), {
        functions: {
          'clone-worker': 'nobody',
          'build-worker': 'nobody',
          releaser: 'nobody',
          'git-worker': env.GIT_WORKER_ARN,
        },
        onError,
      }),
      store,
      subscriptions,
      notifier: apiGatewayNotifier(openPush(env.WEBSOCKET_CALLBACK_URL)),
      sites: openRoutes(env, s3).sites,
      ownDomains: shownDomains(openDocuments(s3, env.BUCKET)),
      s3,
      clock: systemClock,
      log,
    },
    { bucket: env.BUCKET },
  );
});

/** The event of a wake is empty: the releaser looks into its queues. */
export const handler = withRequestId(async (_event?: unknown, context?: DrainContext): Promise<void> => {
  const { LONGEST_RELEASE_MS } = await import('./drain.ts');
  await drainWithinTime({ lambda: openLambda(), onError }, context, LONGEST_RELEASE_MS, await releaser());
});
