import { TARGETS, type Target } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import {
  type BuildJob,
  buildJobId,
  type CloneJob,
  CloneJobSchema,
  type DeploymentRequest,
} from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import type { Plan } from '../../../contract/plan.ts';
import { type Failure, isTerminal } from '../../../contract/record.ts';
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
import { makeAnalyzedEvent, makeAnalyzingEvent, makeDeploymentFailedEvent } from '../../domain/events.ts';
import { failure, failureOf } from '../../domain/failure.ts';
import { backoffDelay } from '../../domain/retry.ts';
import { type Log, withLogFields } from '../../shared/logger.ts';
import type {
  ClaimedJob,
  Clock,
  DeploymentStore,
  EventBus,
  FunctionWaker,
  JobQueue,
  NewJob,
} from '../../shared/ports.ts';
import { publishEvents } from '../../shared/publishEvents.ts';
import { openRequest } from '../../shared/sealedRequest.ts';
import type { SecretBox } from '../../shared/secretBox.ts';

export interface CloneWorkerDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly waker: FunctionWaker;
  readonly clock: Clock;
  readonly secretBox: SecretBox;
  /** Resolves the ref and decides what to build. Throws VerenError. */
  readonly analyze: (request: DeploymentRequest) => Promise<Plan>;
  readonly log: Log;
}

/** Longer than the analysis may take with all its limits; a crashed worker's job is taken again after it. */
export const LEASE_MS = 150_000;
/** Analyses of one deployment that may fail; those that were cut off are counted apart. */
const MAX_TRIES = 3;

/**
 * Analyzes what waits in queue `clone`, one job after another. Safe to run in several processes at once.
 * @param mayTakeMore False where the process is about to be ended: what waits is left to the next one.
 * @returns Whether nothing was left to take; false where somebody else has to go on.
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
      await deps.queue.ack(QUEUES.clone, job.id);
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
 * Gives a job back whose log or store does not answer. Its lease must not end by itself: that is how crashes are counted,
 * and an outage is none. Where the queue does not answer either, it counts as one; a queue that is away lets nobody take it.
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
  if (stored && isTerminal(stored.record.status)) {
    await deps.queue.ack(QUEUES.clone, job.id);
    return;
  }
  if (job.leaseExpired && !hasPlan(job) && !(await mayTryAfterCrash(deps, job, data))) return;
  // The request first, once more: whoever took it may have died before the log had it, and without it nothing else counts.
  const begun = publishEvents(
    deps.bus,
    ...[stored?.facts.requested, makeAnalyzingEvent(data, deps.clock.now())].filter((event) => event !== undefined),
  );
  begun.catch(() => undefined);
  let plan: Plan;
  try {
    plan = recordedPlan(job) ?? (await analyzeRequest(deps, data));
  } catch (e) {
    await begun;
    await afterFailure(deps, job, data, countFailedAnalysis(job), e);
    return;
  }
  await begun;
  deps.log.info('A repository was analyzed', { commit: plan.commit });
  // Whoever comes after us, should we die now, must follow this plan: the branch may have moved since.
  const jobs = TARGETS.flatMap((target) => buildJob(data, plan, target) ?? []);
  await deps.queue.enqueueFollowing(QUEUES.clone, job.id, recordPlan(plan), QUEUES.build, jobs);
  await Promise.all([
    publishEvents(deps.bus, makeAnalyzedEvent(data, plan, deps.clock.now())),
    deps.waker.wake('build-worker'),
  ]);
  await deps.queue.ack(QUEUES.clone, job.id);
}

/**
 * Whoever held the job has died, which is no failure of the analysis; but one that takes its process down with it must not be
 * tried for ever. False where the job was put off or given up.
 */
async function mayTryAfterCrash(deps: CloneWorkerDeps, job: ClaimedJob, data: CloneJob): Promise<boolean> {
  const crashes = crashesOf(job) + 1;
  if (crashes >= MAX_CLONE_CRASHES) {
    await failDeployment(deps, job, data, failure('CRASHES_REPEATED', { crashes }));
    return false;
  }
  await deps.queue.note(QUEUES.clone, job.id, crashNote(crashes));
  if (crashes + 1 < MAX_CLONE_CRASHES) return true;
  // Its last chance comes when whatever else was tried again has had its own.
  await deps.queue.requeue(QUEUES.clone, job.id, crashBackoff(crashes));
  return false;
}

const analyzeRequest = async (
  { secretBox, analyze }: CloneWorkerDeps,
  { deploymentId, request }: CloneJob,
): Promise<Plan> => analyze(await openRequest(secretBox, deploymentId, request));

/** An image that nobody runs yet does no harm, a page that calls a backend of another version may: so the site waits. */
function isHeld(plan: Plan, request: CloneJob['request']): boolean {
  const publication = plan.publication ?? request.publication ?? 'together';
  return publication === 'together' && Boolean(plan.frontend) && Boolean(plan.backend);
}
/** The ref as somebody named it: a redeployment's own is the commit of the deployment before. */
function askedRef({ ref, resolved }: CloneJob['request']): Pick<BuildJob, 'ref'> {
  const asked = resolved ? resolved.ref : ref;
  return asked === undefined ? {} : { ref: asked };
}

function buildJob(data: CloneJob, plan: Plan, target: Target): NewJob<BuildJob> | null {
  const wanted = plan[target];
  if (!wanted) return null;
  const { deploymentId, projectId, owner, correlationId, request } = data;
  const git = plan.git ?? request.git;
  const build: BuildJob = {
    deploymentId,
    projectId,
    owner,
    ...(correlationId !== undefined && { correlationId }),
    target,
    gitUrl: request.gitUrl,
    ...(request.sealed !== undefined && { sealed: request.sealed }),
    ...(request.gitToken !== undefined && { gitToken: request.gitToken }),
    commit: plan.commit,
    ...askedRef(request),
    ...(plan.branch !== undefined && { branch: plan.branch }),
    ...(plan.tag !== undefined && { tag: plan.tag }),
    ...(git && { git }),
    plan: wanted,
    env: request.env ?? {},
    // A plan of an earlier version says nothing: no cache of production's is for it.
    lane: plan.lane ?? request.lane ?? 'preview',
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

async function failDeployment(deps: CloneWorkerDeps, job: ClaimedJob, data: CloneJob, error: Failure): Promise<void> {
  await publishEvents(deps.bus, makeDeploymentFailedEvent(data, error, deps.clock.now()));
  await deps.queue.ack(QUEUES.clone, job.id);
}
