import { VerenError } from '../../../contract/errors.ts';
import { type BuildJob, BuildJobSchema, readBuildJobId } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { runtimeOf } from '../../../contract/plan.ts';
import { isTerminal } from '../../../contract/record.ts';
import { imageMajorOf } from '../../../contract/runtimes.ts';
import {
  recordSearch,
  recordSlowed,
  recordTask,
  slowedAt,
  startNumber,
  taskOf,
  wasSearched,
} from '../../domain/buildJob.ts';
import { type BuildRef, fieldsOfBuild } from '../../domain/events.ts';
import { failure } from '../../domain/failure.ts';
import { taskToken } from '../../domain/taskToken.ts';
import type { EcsCalls } from '../../shared/adapters/aws/clients.ts';
import { recordStartedTask } from '../../shared/announce.ts';
import { findTask } from '../../shared/findTask.ts';
import type { MintAppToken } from '../../shared/gitHosts/app/appTokens.ts';
import { withAppToken } from '../../shared/gitHosts/app/withAppToken.ts';
import { type Log, withLogFields } from '../../shared/logger.ts';
import type { ClaimedJob, Clock, DeploymentStore, EventBus, JobQueue, Limits } from '../../shared/ports.ts';
import type { VariableStore } from '../../shared/projects/variableStore.ts';
import { publishBuildEvent } from '../../shared/publishEvents.ts';
import { openBuildJob } from '../../shared/sealedRequest.ts';
import type { SecretBox } from '../../shared/secretBox.ts';
import { buildKey, type SigningSecret } from '../../shared/signing.ts';
import { stopTask } from '../../shared/stopBuilds.ts';
import { configFor, type ECSConfigs } from '../config/ECSconfig.ts';
import type { MintCredentials } from '../services/credentials.ts';
import type { BuildCredentials, PlatformContext } from '../services/distributionHandler/environment.ts';
import type { WriteHandover } from '../services/handover.ts';
import { builderEnvironment, taskOverride } from '../services/overrides.ts';
import { mustWait, PACE_WAIT_MS, type ReadPace } from '../services/pace.ts';
import type { SignPack } from '../services/packSigner.ts';
import { readVariables } from '../services/projectVariables.ts';
import { type NetworkConfig, runTask, type StartFailure } from '../services/runTask.ts';
import { afterFailedStart } from './failedStart.ts';

export interface BuildWorkerDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly ecs: EcsCalls;
  readonly mintCredentials: MintCredentials;
  readonly configs: ECSConfigs;
  readonly limits: Limits;
  readonly network: NetworkConfig | null;
  /** First attempts use Spot capacity; later ones are on demand. So do those of projects near their budgets. */
  readonly spot: boolean;
  readonly secretBox: SecretBox;
  /** @default - there are no Apps of owners */
  readonly mintAppToken?: MintAppToken;
  readonly variables: Pick<VariableStore, 'at'>;
  readonly platform: PlatformContext;
  readonly writeHandover: WriteHandover;
  readonly signPack: SignPack;
  readonly readPace: ReadPace;
  readonly signing: () => Promise<SigningSecret>;
  readonly log: Log;
}

/** Long enough for STS and RunTask with their retries; after it another worker can claim the job. */
const START_LEASE_MS = 120_000;
/** Starts at once: two calls of AWS each, most of it waiting. RunTask allows 20 a second. */
const LANES = 4;
/** ListTasks shows a task some seconds after its start, so a task that was not found is searched for a second time. */
const SECOND_LOOK_MS = 60_000;

/**
 * Starts builds while there are jobs and free slots. Safe to run in several processes at once.
 * @param mayTakeMore False where the process will end soon: waiting jobs are left to the next one.
 * @returns True where no job was left; false where another worker has to continue.
 */
export async function drainBuildQueue(
  deps: BuildWorkerDeps,
  mayTakeMore: () => boolean = () => true,
): Promise<boolean> {
  let drained = true;
  const lanes = new Set<Promise<void>>();
  const failures: unknown[] = [];
  // A further lane starts only after one has found a job, since most wakes are for a single job.
  const openLane = () => {
    if (lanes.size >= LANES) return;
    const lane = drainLane(deps, openLane, mayTakeMore)
      .then((empty) => {
        drained &&= empty;
      })
      .catch((e) => void failures.push(e))
      .finally(() => lanes.delete(lane));
    lanes.add(lane);
  };
  openLane();
  while (lanes.size > 0) await Promise.race(lanes);
  if (failures.length > 0) throw failures[0];
  return drained;
}

async function drainLane(deps: BuildWorkerDeps, onJob: () => void, mayTakeMore: () => boolean): Promise<boolean> {
  while (mayTakeMore()) {
    const job = await deps.queue.claim(QUEUES.build, { leaseMs: START_LEASE_MS, limits: deps.limits });
    if (!job) return true;
    onJob();
    const parsed = BuildJobSchema.safeParse(job.data);
    if (!parsed.success) {
      deps.log.error('A job of the queue is no build job and was dropped', { jobId: job.id, error: parsed.error });
      await dropUnreadable(deps, job);
      continue;
    }
    const { data } = parsed;
    await withLogFields(fieldsOfBuild({ ...data, attempt: job.attempt }), () => startBuild(deps, job, data));
  }
  return false;
}

/** Its build, where there is one, must not wait for ever. */
async function dropUnreadable(deps: BuildWorkerDeps, job: ClaimedJob): Promise<void> {
  const of = readBuildJobId(job.id);
  const record = of && (await deps.store.get(of.deploymentId))?.record;
  if (record && !isTerminal(record.status)) {
    const { projectId, correlationId } = record;
    const build: BuildRef = { ...of, projectId, correlationId, attempt: job.attempt };
    await publishBuildEvent(deps, build, { type: 'build.failed', error: failure('INTERNAL', {}) });
  }
  await deps.queue.ack(QUEUES.build, job.id);
}

/**
 * Earlier holders of the job may have died after any step. An expired lease means that RunTask may have been called
 * with an unknown result; the note `taskArn` that the task is known; `announced` that its start was published as well.
 */
async function startBuild(deps: BuildWorkerDeps, job: ClaimedJob, data: BuildJob): Promise<void> {
  const build: BuildRef = { ...data, attempt: job.attempt };
  const cluster = configFor(deps.configs, data.target, imageMajor(data), data.plan.dockerfile).CLUSTER;
  const known = taskOf(job)?.taskArn;
  // Requested before it is known whether they are needed: they nearly always are, and STS takes longer than Redis.
  const minting = known ? null : deps.mintCredentials(data, job.attempt, deps.platform.timeoutSeconds);
  minting?.catch(() => undefined);
  // An earlier holder may have started it, and what runs is not slowed any more.
  const reading = known || job.leaseExpired ? null : deps.readPace(data);
  reading?.catch(() => undefined);
  if (await hasEnded(deps, build)) return endUnstarted(deps, job, data, cluster);
  let paced: ClaimedJob;
  let taskArn: string;
  try {
    paced = await notePace(deps, job, await reading);
    if (slowedAt(paced) !== undefined && reading && (await mustWait(deps.queue, paced)))
      return void (await deps.queue.requeue(QUEUES.build, job.id, PACE_WAIT_MS));
    taskArn = known ?? (await startTask(deps, paced, data, await minting!));
  } catch (e) {
    return afterFailedStart(deps, { job, data, cluster, token: tokenOf(job, data) }, e);
  }
  // A fault from here on leaves the job active with its slot: the task-watcher finds the task and publishes its start.
  deps.log.info('A build was started', { taskArn });
  await recordStartedTask(deps, paced, data, { taskArn, cluster });
  if (await hasEnded(deps, build)) await stopTask(deps.ecs, cluster, taskArn, 'canceled while it was started');
}

/**
 * Noted in the job, so that whoever publishes the start can say it.
 * @param percent Undefined: at full speed, whatever was noted while it waited. Null: it was not asked for.
 */
async function notePace({ queue }: BuildWorkerDeps, job: ClaimedJob, percent: number | null | undefined) {
  if (percent === null || percent === slowedAt(job)) return job;
  const notes = recordSlowed(percent ?? 0);
  await queue.note(QUEUES.build, job.id, notes);
  return { ...job, notes: { ...job.notes, ...notes } };
}

/** Which of the builders' images builds it. */
const imageMajor = ({ plan }: BuildJob) => imageMajorOf(runtimeOf(plan).name, plan.nodeVersion);

async function startTask(
  deps: BuildWorkerDeps,
  job: ClaimedJob,
  data: BuildJob,
  credentials: BuildCredentials,
): Promise<string> {
  const config = configFor(deps.configs, data.target, imageMajor(data), data.plan.dockerfile);
  const { attempt } = job;
  const opened = await withAppToken(deps.mintAppToken, data.owner, await openBuildJob(deps.secretBox, data));
  const eventKey = buildKey(await deps.signing(), { ...data, attempt });
  const [projectVariables, sourcePackUrl] = await Promise.all([readVariables(deps, opened), deps.signPack(data)]);
  const variables = builderEnvironment(opened, {
    ...{ ...deps.platform, credentials, attempt, eventKey },
    ...(projectVariables && { projectVariables }),
    ...(sourcePackUrl !== undefined && { sourcePackUrl }),
  });
  const handover = await deps.writeHandover(data, variables);
  // If this fails, the bucket's lifecycle rule removes the object within a day.
  const discardHandover = () =>
    handover.discard().catch((error) => deps.log.warn('A hand-over could not be removed', { error }));
  try {
    const { taskArn, isEarlier } = await runTask(deps.ecs, {
      config,
      override: taskOverride(config.CONTAINERNAME, variables, handover.url),
      token: tokenOf(job, data),
      network: deps.network,
      spot: (deps.spot || slowedAt(job) !== undefined) && attempt === 1 && startNumber(job) === 0,
      tags: { 'veren:project': data.projectId },
    });
    if (isEarlier) await discardHandover();
    return taskArn;
  } catch (e) {
    if (!mayRun(e)) await discardHandover();
    throw e;
  }
}

/**
 * Handles the job of an ended deployment. It keeps its slot while a task may run; the task's end frees it (`slots.ts`).
 */
async function endUnstarted(deps: BuildWorkerDeps, job: ClaimedJob, data: BuildJob, cluster: string): Promise<void> {
  const { leaseExpired } = job;
  const taskArn = taskOf(job)?.taskArn ?? (leaseExpired ? await findTask(deps.ecs, cluster, tokenOf(job, data)) : null);
  if (taskArn) {
    await deps.queue.note(QUEUES.build, job.id, recordTask(job, { taskArn, cluster }));
    await stopTask(deps.ecs, cluster, taskArn, 'the deployment has ended');
  } else if (leaseExpired && !wasSearched(job)) {
    await deps.queue.note(QUEUES.build, job.id, recordSearch());
    await deps.queue.heartbeat(QUEUES.build, job.id, SECOND_LOOK_MS);
  } else await deps.queue.ack(QUEUES.build, job.id);
}

/** An unanswered RunTask may have started a task, which will read its hand-over. */
const mayRun = (e: unknown) => e instanceof VerenError && (e.cause as StartFailure | undefined)?.left === 'unknown';

const tokenOf = (job: ClaimedJob, data: BuildJob) =>
  taskToken({ ...data, attempt: job.attempt, start: startNumber(job) });

async function hasEnded(deps: BuildWorkerDeps, { deploymentId, target }: BuildRef): Promise<boolean> {
  const stored = await deps.store.get(deploymentId);
  const build = stored?.record.builds[target];
  return (stored !== null && isTerminal(stored.record.status)) || (build !== undefined && isTerminal(build.status));
}
