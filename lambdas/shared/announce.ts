import type { BuildJob } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { recordAnnouncement, recordTask, type StartedTask } from '../domain/buildJob.ts';
import type { Clock, EventBus, Job, JobQueue } from './ports.ts';
import { publishBuildEvent } from './publishEvents.ts';

/** A job that has a live task keeps its lease this long; the sweep, once a minute, renews it. */
export const LIVE_LEASE_MS = 300_000;

/**
 * Writes down which task a build's attempt has, then tells of it. Whoever learns of a task may do so again: the
 * build-worker that started it, one that found it, or the task-watcher after a worker has died in between.
 */
export async function recordStartedTask(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  job: Job,
  data: BuildJob,
  task: StartedTask,
): Promise<void> {
  await deps.queue.note(QUEUES.build, job.id, recordTask(job, task));
  await deps.queue.heartbeat(QUEUES.build, job.id, LIVE_LEASE_MS);
  await publishBuildEvent(
    deps,
    { ...data, attempt: job.attempt },
    { type: 'build.started', taskArn: task.taskArn, nodeVersion: data.plan.nodeVersion },
  );
  await deps.queue.note(QUEUES.build, job.id, recordAnnouncement(job));
}
