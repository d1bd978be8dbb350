import type { ECSClient } from '@aws-sdk/client-ecs';
import { VerenError } from '../../../contract/errors.ts';
import { type BuildJob, BuildJobSchema } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { isTerminal } from '../../../contract/record.ts';
import { type BuildRef, failureOf, publishBuildEvent } from '../../shared/buildEvents.ts';
import type { Clock, DeploymentStore, EventBus, Job, JobQueue, Limits } from '../../shared/ports.ts';
import { backoff, retryOrFail } from '../../shared/retry.ts';
import { stopTask } from '../../shared/stopBuilds.ts';
import { taskToken } from '../../shared/taskToken.ts';
import { configFor, type ECSConfigs } from '../config/ECSconfig.ts';
import type { MintCredentials } from '../services/credentials.ts';
import type { BuildContext } from '../services/distributionHandler/environment.ts';
import { checkOverrides, taskOverride } from '../services/overrides.ts';
import { isPermanent, type NetworkConfig, NotStarted, runTask } from '../services/runTask.ts';

export interface BuildWorkerDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly ecs: ECSClient;
  readonly mintCredentials: MintCredentials;
  readonly configs: ECSConfigs;
  readonly limits: Limits;
  readonly network: NetworkConfig | null;
  /** First attempts on Spot capacity; a retry is always on demand. */
  readonly spot: boolean;
  readonly platform: Omit<BuildContext, 'credentials' | 'attempt'>;
  readonly log: (message: string, details?: unknown) => void;
}

/** Long enough for STS and RunTask with their retries; the task-watcher extends it while the task lives. */
export const START_LEASE_MS = 120_000;
/** Starts that ECS may refuse or leave unanswered within one attempt, with backoff in between: about five minutes. */
const MAX_STARTS = 8;

/** Starts builds while there are jobs and free slots. Safe to run in several processes at once. */
export async function drainBuildQueue(deps: BuildWorkerDeps): Promise<void> {
  for (;;) {
    const job = await deps.queue.take(QUEUES.build, { leaseMs: START_LEASE_MS, limits: deps.limits });
    if (!job) return;
    const parsed = BuildJobSchema.safeParse(job.data);
    if (!parsed.success) {
      deps.log(`job ${job.id} is not a build job and was dropped`, parsed.error);
      await deps.queue.complete(QUEUES.build, job.id);
      continue;
    }
    await startBuild(deps, job, parsed.data);
  }
}

async function startBuild(deps: BuildWorkerDeps, job: Job, data: BuildJob): Promise<void> {
  const build: BuildRef = { ...data, attempt: job.attempt };
  if (await hasEnded(deps, build)) {
    await deps.queue.complete(QUEUES.build, job.id);
    return;
  }
  // The lease ran out under a task that was started: whether it lives is the task-watcher's to find out.
  if (job.notes.taskArn) {
    await announce(deps, job, data, job.notes.taskArn);
    return;
  }
  const start = Number(job.notes.start ?? 0);
  try {
    const arn = await startTask(deps, job, data, start);
    await announce(deps, job, data, arn);
    if (await hasEnded(deps, build))
      await stopTask(deps.ecs, clusterOf(deps, data), arn, 'canceled while it was started');
  } catch (e) {
    await afterFailedStart(deps, job, build, start, e);
  }
}

async function startTask(deps: BuildWorkerDeps, job: Job, data: BuildJob, start: number): Promise<string> {
  const config = configFor(deps.configs, data.target, data.plan.nodeVersion);
  const credentials = await deps.mintCredentials(data, job.attempt, deps.platform.timeoutSeconds);
  const override = taskOverride(config.CONTAINERNAME, data, { ...deps.platform, credentials, attempt: job.attempt });
  checkOverrides(override);
  return runTask(deps.ecs, {
    config,
    override,
    token: taskToken({ ...data, attempt: job.attempt, start }),
    network: deps.network,
    spot: deps.spot && job.attempt === 1,
  });
}

/** Notes the task first: a crash before the event is cured by the next holder of the job, which announces it again. */
async function announce(deps: BuildWorkerDeps, job: Job, data: BuildJob, taskArn: string): Promise<void> {
  await deps.queue.note(QUEUES.build, job.id, { taskArn, cluster: clusterOf(deps, data) });
  await publishBuildEvent(
    deps,
    { ...data, attempt: job.attempt },
    { type: 'build.started', taskArn, nodeVersion: data.plan.nodeVersion },
  );
}

async function afterFailedStart(deps: BuildWorkerDeps, job: Job, build: BuildRef, start: number, e: unknown) {
  deps.log(`build ${job.id} could not be started (attempt ${build.attempt}, start ${start})`, e);
  const error = failureOf(e);
  const permanent = e instanceof VerenError && (e.row.fault === 'user' || isPermanent(e));
  if (permanent) {
    await publishBuildEvent(deps, build, { type: 'build.failed', error });
    await deps.queue.complete(QUEUES.build, job.id);
    return;
  }
  const tries = Number(job.notes.tries ?? 0) + 1;
  if (tries >= MAX_STARTS) {
    await retryOrFail(deps, build, error);
    return;
  }
  // With an open outcome the token stays: the next call must find the task that this one may have started.
  const refused = e instanceof VerenError && e.cause instanceof NotStarted;
  await deps.queue.note(QUEUES.build, job.id, { tries: String(tries), start: String(refused ? start + 1 : start) });
  await deps.queue.release(QUEUES.build, job.id, backoff(tries));
}

const clusterOf = (deps: BuildWorkerDeps, data: BuildJob) =>
  configFor(deps.configs, data.target, data.plan.nodeVersion).CLUSTER;

async function hasEnded(deps: BuildWorkerDeps, { deploymentId, target }: BuildRef): Promise<boolean> {
  const stored = await deps.store.get(deploymentId);
  const build = stored?.record.builds[target];
  return (stored !== null && isTerminal(stored.record.status)) || (build !== undefined && isTerminal(build.status));
}
