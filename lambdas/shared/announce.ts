import type { BuildJob } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { recordAnnouncement, recordTask, type StartedTask, slowedAt } from '../domain/buildJob.ts';
import type { Clock, EventBus, Job, JobQueue } from './ports.ts';
import { publishBuildEvent } from './publishEvents.ts';

/** The lease of a job with a live task; the sweep extends it once a minute. */
export const LIVE_LEASE_MS = 300_000;

/**
 * Notes the task of a build's attempt in its job, then publishes `build.started`. It may be repeated by the
 * build-worker that started the task, by one that found it, or by the task-watcher after a worker has died in between.
 */
export async function recordStartedTask(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  job: Job,
  data: BuildJob,
  task: StartedTask,
): Promise<void> {
  await deps.queue.note(QUEUES.build, job.id, recordTask(job, task));
  await deps.queue.heartbeat(QUEUES.build, job.id, LIVE_LEASE_MS);
  const budgetPercent = slowedAt(job);
  await publishBuildEvent(
    deps,
    { ...data, attempt: job.attempt },
    {
      ...{ type: 'build.started', taskArn: task.taskArn, nodeVersion: data.plan.nodeVersion },
      ...(budgetPercent !== undefined && { budgetPercent }),
    },
  );
  await deps.queue.note(QUEUES.build, job.id, recordAnnouncement(job));
}
