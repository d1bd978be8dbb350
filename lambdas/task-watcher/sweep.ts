import { DescribeTasksCommand, type Task } from '@aws-sdk/client-ecs';
import { BuildJobSchema } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import { submit } from '../api/submit.ts';
import type { BuildRef } from '../shared/buildEvents.ts';
import type { Job } from '../shared/ports.ts';
import { reconcile, type WatcherDeps } from './reconcile.ts';

/** DescribeTasks takes at most 100 tasks. */
const DESCRIBE_LIMIT = 100;
/** A deployment that is still queued after this long is handed over again. */
const RESUBMIT_AFTER_MS = 30_000;

/**
 * Once a minute: looks at every active build's task, hands over what was accepted but never queued, and rings both
 * workers. Whatever got lost elsewhere (an event, a doorbell, a process) is found here.
 */
export async function sweep(deps: WatcherDeps): Promise<void> {
  const active = await deps.queue.list(QUEUES.build, 'active');
  for (const [cluster, jobs] of byCluster(active))
    for (let i = 0; i < jobs.length; i += DESCRIBE_LIMIT) await look(deps, cluster, jobs.slice(i, i + DESCRIBE_LIMIT));
  await endForgotten(deps, active);
  await resubmit(deps);
  await deps.doorbell.ring('clone-worker');
  await deps.doorbell.ring('build-worker');
}

function byCluster(jobs: readonly Job[]): Map<string, Job[]> {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const { taskArn, cluster } = job.notes;
    if (taskArn && cluster) groups.set(cluster, [...(groups.get(cluster) ?? []), job]);
  }
  return groups;
}

async function look(deps: WatcherDeps, cluster: string, jobs: readonly Job[]): Promise<void> {
  const tasks = jobs.map((job) => job.notes.taskArn as string);
  const { tasks: found = [], failures = [] } = await deps.ecs.send(new DescribeTasksCommand({ cluster, tasks }));
  for (const task of found) await guarded(deps, task.startedBy, () => reconcile(deps, task));
  const missing = new Set(failures.filter((f) => f.reason === 'MISSING').map((f) => f.arn));
  for (const job of jobs) if (missing.has(job.notes.taskArn)) await guarded(deps, job.id, () => lost(deps, job));
}

/** ECS forgets stopped tasks after about an hour: what became of this one is only known from what it left. */
async function lost(deps: WatcherDeps, job: Job): Promise<void> {
  const data = BuildJobSchema.safeParse(job.data).data;
  if (!data) return;
  const build: BuildRef = { ...data, attempt: job.attempt };
  const artifact = await deps.findArtifact(build);
  const stopped: Task = {
    taskArn: job.notes.taskArn,
    startedBy: `${data.deploymentId}-${data.target}-${job.attempt}-0`,
    lastStatus: 'STOPPED',
    stoppedReason: 'ECS does not know the task any more',
    stoppedAt: new Date(0),
    ...(artifact && { containers: [{ exitCode: 0 }] }),
  };
  await reconcile(deps, stopped);
}

/** Active jobs of deployments that have ended, and that have no task: nothing else will free their slots. */
async function endForgotten(deps: WatcherDeps, active: readonly Job[]): Promise<void> {
  for (const job of active) {
    if (job.notes.taskArn) continue;
    const data = BuildJobSchema.safeParse(job.data).data;
    const record = data && (await deps.store.get(data.deploymentId))?.record;
    if (record && isTerminal(record.status) && (job.leaseUntil ?? 0) < deps.clock.now())
      await deps.queue.complete(QUEUES.build, job.id);
  }
}

/** Accepted, but the process died before the job was queued. `submit` is idempotent. */
async function resubmit(deps: WatcherDeps): Promise<void> {
  for (const id of await deps.store.unfinished()) {
    const stored = await deps.store.get(id);
    if (stored?.record.status !== 'queued') continue;
    if (deps.clock.now() - Date.parse(stored.record.createdAt) < RESUBMIT_AFTER_MS) continue;
    await submit(deps, stored);
  }
}

/** One build's trouble must not keep the sweep from the others. */
async function guarded(deps: WatcherDeps, what: string | undefined, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (e) {
    deps.log(`${what} could not be reconciled; the next sweep tries again`, e);
  }
}
