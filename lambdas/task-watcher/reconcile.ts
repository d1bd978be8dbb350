import type { Task } from '@aws-sdk/client-ecs';
import type { Target } from '../../contract/builders.ts';
import { type BuildJob, BuildJobSchema, buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { type Artifact, type Failure, isTerminal } from '../../contract/record.ts';
import {
  firstSeenEnded,
  firstSeenStopped,
  isAnnounced,
  markStopped,
  recordEnded,
  recordSeenStopped,
  taskOf,
} from '../domain/buildJob.ts';
import { type BuildRef, fieldsOfBuild } from '../domain/events.ts';
import { failure } from '../domain/failure.ts';
import type { EndedBy } from '../domain/retry.ts';
import { parseTaskToken, type TaskIdentity } from '../domain/taskToken.ts';
import type { EcsCalls } from '../shared/adapters/aws/clients.ts';
import { LIVE_LEASE_MS, recordStartedTask } from '../shared/announce.ts';
import { type Log, withLogFields } from '../shared/logger.ts';
import type {
  Clock,
  DeploymentStore,
  EventBus,
  FunctionWaker,
  Job,
  JobQueue,
  StoredDeployment,
} from '../shared/ports.ts';
import { publishBuildEvent } from '../shared/publishEvents.ts';
import { retryOrFail } from '../shared/retryOrFail.ts';
import { freeSlot } from '../shared/slots.ts';
import { stopTask } from '../shared/stopBuilds.ts';
import { classifyTask, reportingContainer, type TaskOutcome, TIMEOUT_REASON } from './classify.ts';
import { type Accounts, taskUse } from './taskUse.ts';

export interface WatcherDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly waker: FunctionWaker;
  readonly clock: Clock;
  readonly ecs: EcsCalls;
  /** The artifact that a build has published, from its manifest or its image; null where it is not complete. */
  readonly findArtifact: (build: BuildRef) => Promise<Artifact | null>;
  /** The site that a build has stored without publishing it, from its manifest; null where it is not complete. */
  readonly findStored: (build: BuildRef) => Promise<Artifact | null>;
  readonly timeoutSeconds: Readonly<Record<Target, number>>;
  /**
   * Clusters whose tasks are looked at.
   * @default - those of the table of builders
   */
  readonly clusters?: readonly string[] | undefined;
  /** Tasks cost money: it is told what for. @default - they cost nothing, as on a laptop */
  readonly accounts?: Accounts | undefined;
  readonly log: Log;
}

/** The builder enforces the timeout by its own clock; this is how much later the task is stopped from outside, by ours. */
export const TIMEOUT_GRACE_MS = 300_000;
/** How long after its build's end a task may go on: it saves caches for up to two minutes. */
export const OUTLIVED_GRACE_MS = 240_000;
/** How long after a task's end its builder's final event may still arrive. */
export const LAST_WORD_GRACE_MS = 15_000;

/** Updates a build's job by the state of its task in ECS. Safe to repeat and to run at the same time as others. */
export async function reconcileTask(deps: WatcherDeps, task: Task): Promise<void> {
  const identity = parseTaskToken(task.startedBy);
  if (!identity || !task.taskArn) return;
  if (task.lastStatus === 'STOPPED') await tellUse(deps, task, identity);
  const job = await deps.queue.get(QUEUES.build, buildJobId(identity.deploymentId, identity.target));
  const data = job && BuildJobSchema.safeParse(job.data).data;
  if (!job || !data || job.attempt !== identity.attempt) return stopOrphanTask(deps, task, identity, job);
  if (job.state !== 'active') return;
  const build: BuildRef = { ...data, attempt: job.attempt };
  await withLogFields(fieldsOfBuild(build), () =>
    task.lastStatus === 'STOPPED' ? handleStopped(deps, job, build, task) : confirmRunning(deps, job, data, task),
  );
}

/** Whatever has become of the job and however the build ended: the task is billed all the same. */
async function tellUse(deps: WatcherDeps, task: Task, { deploymentId, target, attempt }: TaskIdentity): Promise<void> {
  const use = deps.accounts && taskUse(task, deps.accounts);
  const stored = use && (await deps.store.get(deploymentId));
  if (!stored || stored.facts.attempts[target]?.[attempt]?.used) return;
  const { projectId, correlationId } = stored.record;
  await publishBuildEvent(
    deps,
    { deploymentId, projectId, correlationId, target, attempt },
    { type: 'build.used', use },
  );
}

/** True for a task without use: of an attempt that another one has followed, or of a build that has ended. */
async function stopOrphanTask(
  deps: WatcherDeps,
  task: Task,
  { deploymentId, target, attempt }: TaskIdentity,
  job: Job | null,
) {
  if (task.desiredStatus === 'STOPPED') return;
  const followed = job !== null && job.attempt > attempt;
  const record = followed ? null : (await deps.store.get(deploymentId))?.record;
  const ended = record && (isTerminal(record.status) || isTerminal(record.builds[target]?.status ?? 'queued'));
  if (!followed && !ended) return;
  deps.log.warn('A task that nobody waits for is stopped', { deploymentId, target, attempt, taskArn: task.taskArn });
  await stopTask(deps.ecs, task.clusterArn, task.taskArn as string, 'nobody waits for this task any more');
}

async function confirmRunning(deps: WatcherDeps, job: Job, data: BuildJob, task: Task): Promise<void> {
  const taskArn = task.taskArn as string;
  await deps.queue.heartbeat(QUEUES.build, job.id, LIVE_LEASE_MS);
  if (task.desiredStatus !== 'STOPPED') {
    const reason = await reasonToStop(deps, job, data, task);
    if (reason) await stopTask(deps.ecs, task.clusterArn, taskArn, reason);
  }
  // The worker that started the task has died before it could publish that.
  if (!taskOf(job) || !isAnnounced(job))
    await recordStartedTask(deps, job, data, { taskArn, cluster: task.clusterArn ?? '' });
}

async function reasonToStop(deps: WatcherDeps, job: Job, data: BuildJob, task: Task): Promise<string | null> {
  const stored = await deps.store.get(data.deploymentId);
  if (stored?.record.status === 'canceled') return 'the deployment was canceled';
  const build = stored?.record.builds[data.target];
  const told =
    (build && (build.stored || isTerminal(build.status))) || lastWord(stored, { ...data, attempt: job.attempt });
  if (told && (await hasOutlivedEnd(deps, job))) return 'the build has ended and its task has not';
  const since = (task.startedAt ?? task.createdAt)?.getTime();
  const limit = deps.timeoutSeconds[data.target];
  const late = since !== undefined && deps.clock.now() - since > limit * 1_000 + TIMEOUT_GRACE_MS;
  return late ? `${TIMEOUT_REASON} after ${limit} s` : null;
}

/**
 * A builder may hang after it has reported its result; its project must not wait for the time limit then. The time is
 * counted from when this function first sees it, since the builder has another clock.
 */
async function hasOutlivedEnd({ queue, clock }: WatcherDeps, job: Job): Promise<boolean> {
  const since = firstSeenEnded(job);
  const now = clock.now();
  // A noted time in the future means that the clock was set back, so counting starts again.
  if (since !== undefined && now >= since) return now - since > OUTLIVED_GRACE_MS;
  await queue.note(QUEUES.build, job.id, recordEnded(job, now));
  return false;
}

async function handleStopped(deps: WatcherDeps, job: Job, build: BuildRef, task: Task): Promise<void> {
  // Noted before the record is read: whichever of this function and the projector comes second frees the slot.
  await deps.queue.note(QUEUES.build, job.id, markStopped(job));
  const stored = await deps.store.get(build.deploymentId);
  const known = stored?.record.builds[build.target];
  if (stored && (isTerminal(stored.record.status) || (known && (known.stored || isTerminal(known.status)))))
    return freeSlot(deps, job.id);

  const said = lastWord(stored, build);
  const exitCode = reportingContainer(task)?.exitCode;
  // The builder has exited by itself, so its final event is probably on its way, and it says more than an exit code.
  if (!said && exitCode !== undefined && !(await hasWaited(deps, job, task.stoppedAt))) return;
  const { taskArn, stopCode, stoppedReason } = task;
  deps.log.warn('A task ended before its builder reported a result', { taskArn, stopCode, stoppedReason, exitCode });
  const hold = BuildJobSchema.parse(job.data).hold ?? false;
  await applyOutcome(deps, job, build, hold, classifyTask(task, deps.timeoutSeconds[build.target]), said);
}

/**
 * True when a task's final event would have arrived by now: by ECS's clock, or counted from when this function first
 * saw the task stopped, since clocks may differ or may have been set back.
 */
async function hasWaited({ queue, clock }: WatcherDeps, job: Job, stoppedAt: Date | undefined): Promise<boolean> {
  const now = clock.now();
  if (stoppedAt && now - stoppedAt.getTime() >= LAST_WORD_GRACE_MS) return true;
  const since = firstSeenStopped(job);
  if (since !== undefined) return Math.abs(now - since) >= LAST_WORD_GRACE_MS;
  await queue.note(QUEUES.build, job.id, recordSeenStopped(job, now));
  return false;
}

/** The builder's final event, where it leaves it to the task-watcher whether the build is tried again. */
const lastWord = (stored: StoredDeployment | null, { target, attempt }: BuildRef): Failure | undefined =>
  stored?.facts.attempts[target]?.[attempt]?.undecided?.error;

async function applyOutcome(
  deps: WatcherDeps,
  job: Job,
  build: BuildRef,
  hold: boolean,
  verdict: TaskOutcome,
  said: Failure | undefined,
) {
  if (verdict.kind === 'succeeded') {
    // A newer site may be live, which does not mean that this one, which was to wait, was published.
    const artifact = await (hold ? deps.findStored(build) : deps.findArtifact(build));
    const type = hold ? 'build.stored' : 'build.succeeded';
    if (artifact) await publishBuildEvent(deps, build, { type, artifact, logLines: 0 });
    else
      return retryBuild(
        deps,
        build,
        failure('TASK_LOST', { reason: 'its exit code was 0, but nothing was published' }),
        'build',
      );
  } else if (verdict.kind === 'failed')
    await publishBuildEvent(deps, build, { type: 'build.failed', error: verdict.error });
  else return retryBuild(deps, build, said && said.code !== 'BUILD_STOPPED' ? said : verdict.error, verdict.endedBy);
  await freeSlot(deps, job.id);
}

async function retryBuild(deps: WatcherDeps, build: BuildRef, error: Failure, endedBy: EndedBy): Promise<void> {
  await retryOrFail(deps, build, error, endedBy);
  await deps.waker.wake('build-worker');
}
