import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { BuildJobSchema, buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { type Artifact, isTerminal } from '../../contract/record.ts';
import { type BuildRef, failure, publishBuildEvent } from '../shared/buildEvents.ts';
import type { Clock, DeploymentStore, Doorbell, EventBus, Job, JobQueue } from '../shared/ports.ts';
import { retryOrFail } from '../shared/retry.ts';
import { freeSlot, STOPPED_NOTE } from '../shared/slots.ts';
import { stopTask } from '../shared/stopBuilds.ts';
import { parseTaskToken } from '../shared/taskToken.ts';
import { classify, TIMEOUT_REASON } from './classify.ts';

export interface WatcherDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly doorbell: Doorbell;
  readonly clock: Clock;
  readonly ecs: ECSClient;
  /** What a build has published, from its manifest or its image; null where there is nothing whole. */
  readonly findArtifact: (build: BuildRef) => Promise<Artifact | null>;
  readonly timeoutSeconds: Readonly<Record<BuildRef['target'], number>>;
  readonly log: (message: string, details?: unknown) => void;
}

/** A job that has a live task keeps its lease this long; the sweep comes every minute. */
export const LIVE_LEASE_MS = 300_000;
/** The builder enforces the timeout itself; this is how much later the task is stopped from outside. */
const TIMEOUT_GRACE_MS = 60_000;
/** How long after a task's end its builder's last event may still be on its way. */
export const LAST_WORD_GRACE_MS = 15_000;

/** Brings a build's job in line with what ECS says of its task. Safe to repeat and to run at once with others. */
export async function reconcile(deps: WatcherDeps, task: Task): Promise<void> {
  const identity = parseTaskToken(task.startedBy);
  if (!identity || !task.taskArn) return;
  const id = buildJobId(identity.deploymentId, identity.target);
  const job = await deps.queue.get(QUEUES.build, id);
  const data = job && BuildJobSchema.safeParse(job.data).data;
  if (!job || !data || job.state !== 'active') return;
  // An older attempt's task: its end says nothing of the one that runs now.
  if (job.attempt !== identity.attempt) return;
  const build: BuildRef = { ...data, attempt: job.attempt };
  if (task.lastStatus === 'STOPPED') await stopped(deps, job, build, task);
  else await running(deps, job, build, task);
}

async function running(deps: WatcherDeps, job: Job, build: BuildRef, task: Task): Promise<void> {
  await deps.queue.extend(QUEUES.build, job.id, LIVE_LEASE_MS);
  const stop = (reason: string) => stopTask(deps.ecs, task.clusterArn, task.taskArn as string, reason);
  if (task.desiredStatus === 'STOPPED') return;
  const record = (await deps.store.get(build.deploymentId))?.record;
  if (record?.status === 'canceled') return stop('the deployment was canceled');
  const since = (task.startedAt ?? task.createdAt)?.getTime();
  const limit = deps.timeoutSeconds[build.target];
  if (since !== undefined && deps.clock.now() - since > limit * 1_000 + TIMEOUT_GRACE_MS)
    await stop(`${TIMEOUT_REASON} after ${limit} s`);
}

async function stopped(deps: WatcherDeps, job: Job, build: BuildRef, task: Task): Promise<void> {
  // Noted before the record is read: whichever of this and the projector comes second frees the slot.
  await deps.queue.note(QUEUES.build, job.id, { [STOPPED_NOTE]: '1' });
  const record = (await deps.store.get(build.deploymentId))?.record;
  const known = record?.builds[build.target];
  if (record && (isTerminal(record.status) || (known && isTerminal(known.status)))) return freeSlot(deps, job.id);

  const verdict = classify(task, deps.timeoutSeconds[build.target]);
  const exitCode = task.containers?.[0]?.exitCode;
  const stoppedAt = task.stoppedAt?.getTime() ?? deps.clock.now();
  // The builder ended by itself, so it has probably said how: its word has more to tell than an exit code.
  if (exitCode !== undefined && deps.clock.now() - stoppedAt < LAST_WORD_GRACE_MS) return;

  deps.log(`task of ${job.id} (attempt ${job.attempt}) ended without a word: ${task.stoppedReason}`);
  if (verdict.kind === 'succeeded') {
    const artifact = await deps.findArtifact(build);
    if (!artifact) {
      await retryOrFail(deps, build, failure('TASK_LOST', { reason: 'it ended well but published nothing' }));
    } else {
      await publishBuildEvent(deps, build, { type: 'build.succeeded', artifact, logLines: 0 });
      await freeSlot(deps, job.id);
      return;
    }
  } else if (verdict.kind === 'failed') {
    await publishBuildEvent(deps, build, { type: 'build.failed', error: verdict.error });
    await freeSlot(deps, job.id);
    return;
  } else {
    await retryOrFail(deps, build, verdict.error);
  }
  await deps.doorbell.ring('build-worker');
}
