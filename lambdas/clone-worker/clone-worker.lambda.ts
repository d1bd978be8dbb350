import { tmpdir } from 'node:os';
import { openLambda, openS3, openSecrets } from '../shared/adapters/aws/clients.ts';
import { type DrainContext, drainWithinTime } from '../shared/adapters/aws/drain.ts';
import { createLambdaWaker } from '../shared/adapters/aws/functionWaker.ts';
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

const env = readEnv('clone-worker');
const log = jsonLog('clone-worker');

// An execution environment outlives a function that ran out of memory or time, and so does its /tmp.
const swept = sweepGitFolders(tmpdir());

const lambda = openLambda();
const onError = (error: unknown) => log.warn('A worker could not be woken, and the next sweep wakes it', { error });

const worker = lazyAsync(async () => {
  await swept;
  const [{ queue, store }, kafka, { composeCloneWorker }, { analyzeRepository }, { urlSigner }] = await Promise.all([
    openRedis(env, log),
    kafkaEnv(env),
    import('./compose.ts'),
    import('./analyzeRepository.ts'),
    import('../shared/adapters/aws/urlSigner.ts'),
  ]);
  const policy = gitPolicy(env.GIT_HOSTS);
  const ports = {
    s3: openS3(),
    urlSigner: urlSigner({}),
    queue,
    store,
    bus: openSignedBus(kafka, env, 'veren-clone-worker'),
    clock: systemClock,
    secretBox: secretBox(secretKeys(openSecrets(), env.DATA_KEY_SECRET_ARN, systemClock)),
    log,
    waker: createLambdaWaker(lambda, {
      functions: {
        'clone-worker': 'nobody',
        'build-worker': env.BUILD_WORKER_ARN,
        releaser: 'nobody',
        'git-worker': 'nobody',
      },
      onError,
    }),
    analyze: (request: Omit<Parameters<typeof analyzeRepository>[0], 'policy'>) =>
      analyzeRepository({ ...request, policy }),
  };
  return composeCloneWorker(ports, { bucket: env.BUCKET, builders: env.BUILDERS_VERSION, gitPolicy: policy });
});

/** The event of a wake is empty: the worker looks into its queue. */
export const handler = withRequestId(async (_event?: unknown, context?: DrainContext): Promise<void> => {
  const { LEASE_MS } = await import('./workers/clone.ts');
  await drainWithinTime({ lambda, onError }, context, LEASE_MS, await worker());
});
