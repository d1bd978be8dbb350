import { VerenError } from '../../../contract/errors.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { countFailedStart, recordFailedStart, recordUnclearStart } from '../../domain/buildJob.ts';
import type { BuildRef } from '../../domain/events.ts';
import { failure, failureOf } from '../../domain/failure.ts';
import { backoffDelay } from '../../domain/retry.ts';
import { recordStartedTask } from '../../shared/announce.ts';
import { findTask } from '../../shared/findTask.ts';
import type { ClaimedJob } from '../../shared/ports.ts';
import { publishBuildEvent } from '../../shared/publishEvents.ts';
import { retryOrFail } from '../../shared/retryOrFail.ts';
import { type Left, refusalReason, StartFailure } from '../services/runTask.ts';
import type { BuildWorkerDeps } from './build.ts';

/** Starts within one attempt that may fail, with backoff in between: about five minutes. */
const MAX_STARTS = 8;

interface FailedStart {
  readonly job: ClaimedJob;
  readonly data: BuildJob;
  readonly cluster: string;
  readonly token: string;
}

/**
 * A start that failed is tried again with backoff. Where a task may have been started all the same, the job keeps its
 * slot and its token, and is claimed again when its lease ends: then RunTask answers with that task. Where nothing was
 * started the job is requeued, which frees the slot meanwhile.
 */
export async function afterFailedStart(deps: BuildWorkerDeps, start: FailedStart, e: unknown): Promise<void> {
  const { job, data, cluster, token } = start;
  const build: BuildRef = { ...data, attempt: job.attempt };
  deps.log.warn('A build could not be started', { taskToken: token, error: e });
  const left = leftBehind(e, job.leaseExpired);
  const tries = countFailedStart(job);
  if (left === 'unknown' && tries < MAX_STARTS) {
    await deps.queue.note(QUEUES.build, job.id, recordUnclearStart(tries));
    await deps.queue.heartbeat(QUEUES.build, job.id, backoffDelay(tries));
    return;
  }
  // ECS did not answer any call, so its list of tasks decides; if that fails too, the lease expires and the start is
  // tried again.
  const existing = left === 'unknown' ? await findTask(deps.ecs, cluster, token) : null;
  if (existing) return recordStartedTask(deps, job, data, { taskArn: existing, cluster });

  const refused = refusalReason(e);
  if (refused !== null || (e instanceof VerenError && e.row.fault === 'user')) {
    const error = refused === null ? failureOf(e) : failure('TASK_REFUSED', { reason: refused });
    await publishBuildEvent(deps, build, { type: 'build.failed', error });
    await deps.queue.ack(QUEUES.build, job.id);
  } else if (tries >= MAX_STARTS) await retryOrFail(deps, build, failureOf(e));
  else {
    await deps.queue.note(QUEUES.build, job.id, recordFailedStart(job, tries, left === 'none of this token'));
    await deps.queue.requeue(QUEUES.build, job.id, backoffDelay(tries));
  }
}

/** `lapsed`: an earlier holder of the job may have called RunTask and has not seen what became of it. */
function leftBehind(e: unknown, lapsed: boolean): Left {
  const cause = e instanceof VerenError ? e.cause : undefined;
  const left = cause instanceof StartFailure ? cause.left : 'none of this call';
  return lapsed && left === 'none of this call' ? 'unknown' : left;
}
