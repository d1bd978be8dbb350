import { TARGETS, type Target } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import { type BuildJob, buildJobId, type CloneJob, CloneJobSchema } from '../../../contract/jobs.ts';
import type { Environment, Lane } from '../../../contract/lanes.ts';
import { QUEUES } from '../../../contract/names.ts';
import type { Plan } from '../../../contract/plan.ts';
import type { ProjectSettings } from '../../../contract/project.ts';
import { type Failure, isTerminal } from '../../../contract/record.ts';
import { uploadIdOf } from '../../../contract/uploads.ts';
import {
  countFailedAnalysis,
  countOutage,
  hasPlan,
  recordedPlan,
  recordFailedAnalysis,
  recordOutage,
  recordPlan,
} from '../../domain/cloneJob.ts';
import { crashBackoff, crashesOf, crashNote, MAX_CLONE_CRASHES } from '../../domain/crashes.ts';
import {
  makeAnalyzedEvent,
  makeAnalyzingEvent,
  makeDeploymentFailedEvent,
  makeUnchangedEvent,
} from '../../domain/events.ts';
import { failure, failureOf } from '../../domain/failure.ts';
import { backoffDelay } from '../../domain/retry.ts';
import type { BuildIndex } from '../../shared/buildIndex.ts';
import type { MintAppToken } from '../../shared/gitHosts/app/appTokens.ts';
import { withAppToken } from '../../shared/gitHosts/app/withAppToken.ts';
import { type Log, withLogFields } from '../../shared/logger.ts';
import type {
  ClaimedJob,
  Clock,
  DeploymentStore,
  EventBus,
  FunctionWaker,
  JobQueue,
  NewJob,
  StoredDeployment,
} from '../../shared/ports.ts';
import type { ProjectStore } from '../../shared/projects/projectStore.ts';
import { publishEvents } from '../../shared/publishEvents.ts';
import type { UploadedPack } from '../../shared/repo/receiveUpload.ts';
import { openRequest } from '../../shared/sealedRequest.ts';
import type { SecretBox } from '../../shared/secretBox.ts';
import { buildKeyOf } from '../buildKey.ts';
import { findSame } from '../findSame.ts';
import type { OpenUploadPack } from '../packUpload.ts';
import { applyProjectSettings, type ProjectRequest } from '../projectSettings.ts';

export interface CloneWorkerDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly waker: FunctionWaker;
  readonly clock: Clock;
  readonly secretBox: SecretBox;
  /** @default - there are no Apps of owners */
  readonly mintAppToken?: MintAppToken;
  /** Resolves the ref and decides what to build. Throws VerenError. */
  readonly analyze: (request: ProjectRequest & { readonly uploaded?: UploadedPack }) => Promise<Plan>;
  readonly openUploadPack: OpenUploadPack;
  readonly projects: Pick<ProjectStore, 'get' | 'getDeleted' | 'change'>;
  readonly builds: Pick<BuildIndex, 'find'>;
  /** The version of the builders: another one builds anew. */
  readonly builders: string;
  readonly log: Log;
}

/** Longer than the analysis may take with all its limits; a crashed worker's job can be claimed again after it. */
export const LEASE_MS = 150_000;
/** How long after its publication the result of an analysis is looked for in the record. */
const CONFIRM_AFTER_MS = 20_000;
/** How long it is looked for, from the request on. A result that no record takes is left to who ends what hangs. */
const CONFIRM_FOR_MS = 3_600_000;
/** How many analyses of one deployment may fail; crashes of workers are counted separately. */
const MAX_TRIES = 3;

/**
 * Analyzes what waits in queue `clone`, one job after another. Safe to run in several processes at once.
 * @param mayTakeMore False where the process will end soon: waiting jobs are left to the next one.
 * @returns True where no job was left; false where another worker has to continue.
 */
export async function drainCloneQueue(
  deps: CloneWorkerDeps,
  mayTakeMore: () => boolean = () => true,
): Promise<boolean> {
  while (mayTakeMore()) {
    const job = await deps.queue.claim(QUEUES.clone, { leaseMs: LEASE_MS });
    if (!job) return true;
    const parsed = CloneJobSchema.safeParse(job.data);
    if (!parsed.success) {
      deps.log.error('A job of the queue is no clone job and was dropped', { jobId: job.id, error: parsed.error });
      await dropUnreadable(deps, job);
      continue;
    }
    const { data } = parsed;
    const { deploymentId, projectId, correlationId } = data;
    try {
      await withLogFields({ deploymentId, projectId, correlationId }, () => analyzeOne(deps, job, data));
    } catch (e) {
      await putBack(deps, job);
      throw e;
    }
  }
  return false;
}

/**
 * Requeues a job because Kafka or Redis does not answer. Its lease must not expire, since an expired lease counts as a
 * crash of the worker. If the queue does not answer either, it does count as one; nobody can claim the job meanwhile.
 */
async function putBack({ queue, log }: CloneWorkerDeps, job: ClaimedJob): Promise<void> {
  const faults = countOutage(job);
  try {
    await queue.note(QUEUES.clone, job.id, recordOutage(faults));
    await queue.requeue(QUEUES.clone, job.id, backoffDelay(faults));
  } catch (fault) {
    log.error('A job could not be given back', { jobId: job.id, error: fault });
  }
}

async function analyzeOne(deps: CloneWorkerDeps, job: ClaimedJob, data: CloneJob): Promise<void> {
  const stored = await deps.store.get(data.deploymentId);
  if (stored && (isTerminal(stored.record.status) || (stored.record.plan && hasPlan(job)))) {
    await deps.queue.ack(QUEUES.clone, job.id);
    return;
  }
  const project = await deps.projects.get(data.projectId);
  if (project?.deleting || (!project && (await deps.projects.getDeleted(data.projectId)))) {
    await failDeployment(deps, job, data, failure('PROJECT_DELETING', { projectId: data.projectId }));
    return;
  }
  if (job.leaseExpired && !hasPlan(job) && !(await mayTryAfterCrash(deps, job, data))) return;
  // Publishes the request again: the API may have died before it did, and without it no other event of the deployment
  // counts.
  const begun = publishEvents(
    deps.bus,
    ...[stored?.facts.requested, makeAnalyzingEvent(data, deps.clock.now())].filter((event) => event !== undefined),
  );
  begun.catch(() => undefined);
  const settings = project?.settings ?? {};
  let plan: Plan;
  try {
    plan = recordedPlan(job) ?? (await analyzeRequest(deps, data, settings));
  } catch (e) {
    await begun;
    await afterFailure(deps, job, data, countFailedAnalysis(job), e);
    return;
  }
  await begun;
  deps.log.info('A repository was analyzed', { commit: plan.commit });
  // If this worker dies now, the next one must use this plan, since the branch may have moved.
  const same = hasPlan(job) ? null : await findUnchanged(deps, data, plan);
  if (same) {
    const { deploymentId } = data;
    deps.log.info('A deployment is the same as an earlier one and is not built', { deploymentId, ...same });
    const now = deps.clock.now();
    await publishEvents(deps.bus, makeAnalyzedEvent(data, plan, now), makeUnchangedEvent(data, same, now));
    await confirmLater(deps, job, stored);
    return;
  }
  const { path: _path, fromProject: _fields, ...merged } = applyProjectSettings(data.request, settings);
  const jobs = TARGETS.flatMap((target) => buildJob({ ...data, request: merged }, plan, target) ?? []);
  await deps.queue.enqueueFollowing(QUEUES.clone, job.id, recordPlan(plan), QUEUES.build, jobs);
  await Promise.all([
    publishEvents(deps.bus, makeAnalyzedEvent(data, plan, deps.clock.now())),
    deps.waker.wake('build-worker'),
  ]);
  await confirmLater(deps, job, stored);
}

/**
 * The job stays until the record has what was published: a log without a second copy may lose what it has acknowledged, and
 * a deployment without its plan would fail although its builds succeed. Then the job's next holder publishes it again.
 */
async function confirmLater(
  { queue, clock }: CloneWorkerDeps,
  job: ClaimedJob,
  stored: StoredDeployment | null,
): Promise<void> {
  if (stored && clock.now() - job.addedAt < CONFIRM_FOR_MS) await queue.requeue(QUEUES.clone, job.id, CONFIRM_AFTER_MS);
  else await queue.ack(QUEUES.clone, job.id);
}

/**
 * The worker that held the job has died. That is no failure of the analysis, but an analysis that kills its process
 * must not be tried for ever. False where the job was delayed or given up.
 */
async function mayTryAfterCrash(deps: CloneWorkerDeps, job: ClaimedJob, data: CloneJob): Promise<boolean> {
  const crashes = crashesOf(job) + 1;
  if (crashes >= MAX_CLONE_CRASHES) {
    await failDeployment(deps, job, data, failure('CRASHES_REPEATED', { crashes }));
    return false;
  }
  await deps.queue.note(QUEUES.clone, job.id, crashNote(crashes));
  if (crashes + 1 < MAX_CLONE_CRASHES) return true;
  // The last try is delayed until the other jobs that were tried again have had theirs.
  await deps.queue.requeue(QUEUES.clone, job.id, crashBackoff(crashes));
  return false;
}

async function analyzeRequest(
  { secretBox, mintAppToken, analyze, openUploadPack, builders }: CloneWorkerDeps,
  { deploymentId, projectId, owner, request }: CloneJob,
  settings: ProjectSettings,
): Promise<Plan> {
  const asked = applyProjectSettings(await openRequest(secretBox, deploymentId, request), settings);
  const { commit } = asked;
  const uploadId = uploadIdOf(asked.gitUrl);
  const uploaded = uploadId === undefined ? {} : { uploaded: await openUploadPack(projectId, uploadId) };
  const read = await withAppToken(mintAppToken, owner, asked);
  const plan = await analyze({ ...read, ...uploaded, ...(commit !== undefined && { ref: commit }) });
  const buildKey = await buildKeyOf(secretBox, asked, plan, {
    builders,
    usesCommit: settings.usesCommit ?? false,
    variables: request.variables?.version,
  });
  return { ...plan, ...(buildKey !== undefined && { buildKey }) };
}

/** The earlier deployment that is the same, unless this one is to be built whatever it is. */
const findUnchanged = async (deps: CloneWorkerDeps, { projectId, request }: CloneJob, plan: Plan) =>
  request.force || request.cache === 'drop' ? null : findSame(deps, projectId, plan);

/** Only the site waits for the other part: an image that nobody runs does no harm, a page for another backend may. */
function isHeld(plan: Plan, request: CloneJob['request']): boolean {
  const publication = plan.publication ?? request.publication ?? 'together';
  return publication === 'together' && Boolean(plan.frontend) && Boolean(plan.backend);
}
/** The ref as a person named it; the ref of a redeployment is the commit of the deployment before. */
function askedRef({ ref, resolved }: CloneJob['request']): Pick<BuildJob, 'ref'> {
  const asked = resolved ? resolved.ref : ref;
  return asked === undefined ? {} : { ref: asked };
}

/** Whose variables a deployment has. */
const environmentOf = (lane: Lane): Environment => (lane === 'production' ? 'production' : 'preview');

function buildJob(data: CloneJob, plan: Plan, target: Target): NewJob<BuildJob> | null {
  const wanted = plan[target];
  if (!wanted) return null;
  const { deploymentId, projectId, owner, correlationId, request } = data;
  const git = plan.git ?? request.git;
  // A plan of an earlier version has no lane, and must not reach the caches of production.
  const lane = plan.lane ?? request.lane ?? 'preview';
  const build: BuildJob = {
    deploymentId,
    projectId,
    owner,
    ...(correlationId !== undefined && { correlationId }),
    target,
    gitUrl: request.gitUrl,
    ...(request.sealed !== undefined && { sealed: request.sealed }),
    ...(request.gitToken !== undefined && { gitToken: request.gitToken }),
    ...(request.gitApp && { gitApp: request.gitApp }),
    commit: plan.commit,
    ...askedRef(request),
    ...(plan.branch !== undefined && { branch: plan.branch }),
    ...(plan.tag !== undefined && { tag: plan.tag }),
    ...(git && { git }),
    plan: wanted,
    env: request.env ?? {},
    ...(request.variables && { variables: { ...request.variables, environment: environmentOf(lane) } }),
    lane,
    cache: request.cache ?? 'use',
    ...(target === 'frontend' && isHeld(plan, request) && { hold: true }),
  };
  return { id: buildJobId(deploymentId, target), data: build, owner, projectId };
}

async function afterFailure(
  deps: CloneWorkerDeps,
  job: ClaimedJob,
  data: CloneJob,
  tries: number,
  e: unknown,
): Promise<void> {
  deps.log.warn('A repository could not be analyzed', { tries, error: e });
  const mayPass = !(e instanceof VerenError) || e.row.fault === 'transient';
  if (mayPass && tries < MAX_TRIES) {
    await deps.queue.note(QUEUES.clone, job.id, recordFailedAnalysis(tries));
    await deps.queue.requeue(QUEUES.clone, job.id, backoffDelay(tries));
    return;
  }
  await failDeployment(deps, job, data, failureOf(e));
}

/** Its deployment, where there is one, must not wait for ever. */
async function dropUnreadable(deps: CloneWorkerDeps, job: ClaimedJob): Promise<void> {
  const record = (await deps.store.get(job.id))?.record;
  if (record && !isTerminal(record.status))
    await publishEvents(deps.bus, makeDeploymentFailedEvent(record, failure('INTERNAL', {}), deps.clock.now()));
  await deps.queue.ack(QUEUES.clone, job.id);
}

async function failDeployment(deps: CloneWorkerDeps, job: ClaimedJob, data: CloneJob, error: Failure): Promise<void> {
  await publishEvents(deps.bus, makeDeploymentFailedEvent(data, error, deps.clock.now()));
  await deps.queue.ack(QUEUES.clone, job.id);
}
