import type { BuildJob } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { publishBuildEvent } from './buildEvents.ts';
import type { Clock, EventBus, Job, JobQueue } from './ports.ts';

/** A job that has a live task keeps its lease this long; the sweep, once a minute, renews it. */
export const LIVE_LEASE_MS = 300_000;

export interface StartedTask {
  readonly taskArn: string;
  /** Name or ARN of its cluster. */
  readonly cluster: string;
}

/** The task of the job's attempt, as far as it is known. A note that a late worker left of an earlier one does not count. */
export function taskOf({ notes, attempt }: Job): StartedTask | null {
  const { taskArn, cluster, taskOf } = notes;
  return taskArn && cluster && taskOf === String(attempt) ? { taskArn, cluster } : null;
}

export const noteTask = (queue: JobQueue, job: Job, { taskArn, cluster }: StartedTask) =>
  queue.note(QUEUES.build, job.id, { taskArn, cluster, taskOf: String(job.attempt) });

/**
 * Writes down which task a build's attempt has, then tells of it. Whoever learns of a task may do so again: the
 * build-worker that started it, one that found it, or the task-watcher after a worker has died in between.
 */
export async function announce(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  job: Job,
  data: BuildJob,
  task: StartedTask,
): Promise<void> {
  await noteTask(deps.queue, job, task);
  await deps.queue.extend(QUEUES.build, job.id, LIVE_LEASE_MS);
  await publishBuildEvent(
    deps,
    { ...data, attempt: job.attempt },
    { type: 'build.started', taskArn: task.taskArn, nodeVersion: data.plan.nodeVersion },
  );
  await deps.queue.note(QUEUES.build, job.id, { announced: String(job.attempt) });
}
