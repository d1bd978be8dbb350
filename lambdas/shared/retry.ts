import { buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import type { Failure } from '../../contract/record.ts';
import { type BuildRef, failure, publishBuildEvent } from './buildEvents.ts';
import type { Clock, EventBus, JobQueue } from './ports.ts';

/** A build is started at most this often; what a user's build does wrong is never retried. */
export const MAX_ATTEMPTS = 3;

/** Exponential with jitter: many builds that failed together do not come back together. Milliseconds, at most a minute. */
export const backoff = (n: number, random: () => number = Math.random) =>
  Math.round(Math.min(60_000, 1_000 * 2 ** n) * (0.5 + random() / 2));

/**
 * Ends an attempt for a reason that is not the user's: another one is queued, or, after the last, the build fails.
 * Says so before it does so: a crash in between is found by the sweep, which repeats it. No task of the attempt may run.
 */
export async function retryOrFail(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  build: BuildRef,
  error: Failure,
): Promise<void> {
  const id = buildJobId(build.deploymentId, build.target);
  if (build.attempt >= MAX_ATTEMPTS) {
    const exhausted = failure('RETRIES_EXHAUSTED', { attempts: build.attempt, reason: error.message });
    await publishBuildEvent(deps, build, { type: 'build.failed', error: { ...error, ...exhausted } });
    await deps.queue.complete(QUEUES.build, id);
    return;
  }
  await publishBuildEvent(deps, build, { type: 'build.retrying', error });
  await deps.queue.retry(QUEUES.build, id, build.attempt, backoff(build.attempt));
}
