import { BUILDERS } from '../../contract/builders.ts';
import { BuildJobSchema } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { countMiss, recordMiss, taskOf } from '../domain/buildJob.ts';
import { taskToken } from '../domain/taskToken.ts';
import type { EcsCalls } from '../shared/adapters/aws/clients.ts';
import type { Job } from '../shared/ports.ts';
import { queueAllProjects } from '../shared/queueRelease.ts';
import { TASK_UNKNOWN } from './classify.ts';
import { reconcileTask, type WatcherDeps } from './reconcile.ts';
import { lookAfterUnfinished } from './unfinished.ts';

/** DescribeTasks takes at most 100 tasks. */
const DESCRIBE_LIMIT = 100;
/** A task counts as gone after so many sweeps in a row without it, since ECS's answers may be older than its start. */
const MISSES = 3;
const CLUSTERS = [...new Set(BUILDERS.map((b) => b.cluster))];

/**
 * Runs once a minute: checks the task of every active build and every running task, submits deployments that were
 * accepted but never enqueued, and wakes all workers. It so repairs what an event, a wake or a process that was lost
 * had left.
 */
export async function sweepBuilds(deps: WatcherDeps): Promise<void> {
  try {
    await logFailures(deps, 'the tasks of active builds', () => lookAtBuilds(deps));
    for (const cluster of deps.clusters ?? CLUSTERS)
      await logFailures(deps, `cluster ${cluster}`, () => lookAtTasks(deps, cluster));
    await logFailures(deps, 'unfinished deployments', () => lookAfterUnfinished(deps));
    await logFailures(deps, 'releases', async () => void (await queueAllProjects(deps, deps.clock.now())));
  } finally {
    await deps.waker.wake('clone-worker');
    await deps.waker.wake('build-worker');
    await deps.waker.wake('releaser');
    await deps.waker.wake('git-worker');
  }
}

/** Checks every build whose task is known, also one whose task stopped while ECS's event was lost. */
async function lookAtBuilds(deps: WatcherDeps): Promise<void> {
  const byCluster = new Map<string, Job[]>();
  for (const job of await deps.queue.list(QUEUES.build, 'active')) {
    const cluster = taskOf(job)?.cluster;
    if (cluster) byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), job]);
  }
  for (const [cluster, jobs] of byCluster)
    for (let i = 0; i < jobs.length; i += DESCRIBE_LIMIT)
      await logFailures(deps, `cluster ${cluster}`, () =>
        sweepCluster(deps, cluster, jobs.slice(i, i + DESCRIBE_LIMIT)),
      );
}

async function sweepCluster(deps: WatcherDeps, cluster: string, jobs: readonly Job[]): Promise<void> {
  const arnOf = (job: Job) => taskOf(job)?.taskArn as string;
  const { tasks = [], failures = [] } = await describeTasks(deps.ecs, cluster, jobs.map(arnOf));
  for (const task of tasks) await logFailures(deps, task.startedBy, () => reconcileTask(deps, task));
  const missing = new Set(failures.filter((f) => f.reason === 'MISSING').map((f) => f.arn));
  for (const job of jobs)
    if (missing.has(arnOf(job))) await logFailures(deps, job.id, () => countMissingTask(deps, job));
}

/** ECS forgets stopped tasks after about an hour; then only what the task has published shows its result. */
async function countMissingTask(deps: WatcherDeps, job: Job): Promise<void> {
  const data = BuildJobSchema.safeParse(job.data).data;
  const misses = countMiss(job);
  await deps.queue.note(QUEUES.build, job.id, recordMiss(misses));
  if (!data || misses < MISSES) return;
  const find = data.hold ? deps.findStored : deps.findArtifact;
  const artifact = await find({ ...data, attempt: job.attempt });
  await reconcileTask(deps, {
    taskArn: taskOf(job)?.taskArn,
    startedBy: taskToken({ ...data, attempt: job.attempt, start: 0 }),
    lastStatus: 'STOPPED',
    desiredStatus: 'STOPPED',
    stoppedReason: TASK_UNKNOWN,
    stoppedAt: new Date(0),
    ...(artifact && { containers: [{ exitCode: 0 }] }),
  });
}

/** Checks every running task, also one whose worker died before it could note it. */
async function lookAtTasks(deps: WatcherDeps, cluster: string): Promise<void> {
  const { ListTasksCommand } = await import('@aws-sdk/client-ecs');
  let nextToken: string | undefined;
  do {
    const page = await deps.ecs.send(new ListTasksCommand({ cluster, desiredStatus: 'RUNNING', nextToken }));
    const { taskArns = [] } = page;
    const { tasks = [] } = taskArns.length > 0 ? await describeTasks(deps.ecs, cluster, taskArns) : {};
    for (const task of tasks) await logFailures(deps, task.startedBy, () => reconcileTask(deps, task));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

async function describeTasks(ecs: EcsCalls, cluster: string, tasks: string[]) {
  const { DescribeTasksCommand } = await import('@aws-sdk/client-ecs');
  return ecs.send(new DescribeTasksCommand({ cluster, tasks }));
}

/** Logs an exception, so that a fault with one item does not keep the sweep from the others. */
async function logFailures(deps: WatcherDeps, what: string | undefined, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    deps.log.warn('Something could not be looked after, and the next sweep tries again', { subject: what, error });
  }
}
