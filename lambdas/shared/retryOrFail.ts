import { buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import type { Failure } from '../../contract/record.ts';
import type { BuildRef } from '../domain/events.ts';
import { failure } from '../domain/failure.ts';
import { type EndedBy, nextAttempt } from '../domain/retry.ts';
import type { Clock, EventBus, JobQueue } from './ports.ts';
import { publishBuildEvent } from './publishEvents.ts';

/**
 * Ends an attempt for a reason that is not the user's: another attempt is enqueued, or, after the last, the build
 * fails. The event is published before the job changes; after a crash in between the sweep repeats both. No task of the
 * attempt may run.
 */
export async function retryOrFail(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  build: BuildRef,
  error: Failure,
  endedBy: EndedBy = 'build',
): Promise<void> {
  const id = buildJobId(build.deploymentId, build.target);
  const next = nextAttempt(await deps.queue.get(QUEUES.build, id), build.attempt, endedBy);
  if ('lastError' in next) {
    const last = failure(next.lastError, { attempts: build.attempt, crashes: next.crashes, reason: error.message });
    await publishBuildEvent(deps, build, { type: 'build.failed', error: { ...error, ...last } });
    await deps.queue.ack(QUEUES.build, id);
    return;
  }
  await publishBuildEvent(deps, build, { type: 'build.retrying', error });
  await deps.queue.retry(QUEUES.build, id, build.attempt, next.delayMs, next.notes);
}
