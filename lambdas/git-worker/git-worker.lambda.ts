import { tmpdir } from 'node:os';
import { openEcs, openLambda, openMails, openS3, openSecrets } from '../shared/adapters/aws/clients.ts';
import { type DrainContext, drainWithinTime } from '../shared/adapters/aws/drain.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
import { snsMails } from '../shared/adapters/aws/snsMails.ts';
import { systemClock } from '../shared/clock.ts';
import { readEnv } from '../shared/env.ts';
import { jsonLog, withRequestId } from '../shared/logger.ts';
import { lazyAsync } from '../shared/once.ts';
import { kafkaEnv, openSignedBus } from '../shared/openKafka.ts';
import { openRedis } from '../shared/openRedis.ts';
import { gitPolicy } from '../shared/repo/policyOfHosts.ts';
import { sweepGitFolders } from '../shared/repo/sweepGitFolders.ts';
import { secretBox } from '../shared/secretBox.ts';
import { secretKeys } from '../shared/secrets.ts';

const env = readEnv('git-worker');
const log = jsonLog('git-worker');

// An execution environment outlives a function that ran out of memory or time, and so does its /tmp.
const swept = sweepGitFolders(tmpdir());

const lambda = openLambda();
const onError = (error: unknown) => log.warn('A worker could not be woken, and the next sweep wakes it', { error });

const worker = lazyAsync(async () => {
  await swept;
  const [{ queue, store, rateLimit }, kafka, { composeGitWorker }, { templateAddresses }] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    import('./compose.ts'),
    import('../shared/sites/siteAddresses.ts'),
  ]);
  return composeGitWorker(
    {
      s3: openS3(),
      ecs: openEcs(),
      queue,
      store,
      rateLimit,
      bus: openSignedBus(kafka, env, 'veren-git-worker'),
      clock: systemClock,
      secretBox: secretBox(secretKeys(openSecrets(), env.DATA_KEY_SECRET_ARN, systemClock)),
      mails: snsMails(openMails(), env.MAIL_TOPICS_ARN),
      log,
      waker: createLambdaWaker(lambda, {
        functions: {
          'clone-worker': env.CLONE_WORKER_ARN,
          'build-worker': env.BUILD_WORKER_ARN,
          releaser: 'nobody',
          'git-worker': 'nobody',
        },
        onError,
      }),
    },
    {
      bucket: env.BUCKET,
      gitPolicy: gitPolicy(env.GIT_HOSTS),
      apiHosts: env.GIT_API_HOSTS,
      siteAddresses: templateAddresses(env.SITE_URL_TEMPLATE),
      limits: env.OWNER_LIMITS,
      supersede: env.SUPERSEDE,
    },
  );
});

/** The event of a wake is empty: the function looks into its queues. */
export const handler = withRequestId(async (_event?: unknown, context?: DrainContext): Promise<void> => {
  const { LEASE_MS } = await import('./lease.ts');
  await drainWithinTime({ lambda, onError }, context, LEASE_MS, await worker());
});
