import type { CreateDeployment } from '../../../contract/api.ts';
import { TARGETS } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { DeploymentEvent } from '../../../contract/events.ts';
import { type BuildJob, buildJobId, type CloneJob, CloneJobSchema } from '../../../contract/jobs.ts';
import { QUEUES, TOPICS } from '../../../contract/names.ts';
import { type Plan, PlanSchema } from '../../../contract/plan.ts';
import { type Failure, isTerminal } from '../../../contract/record.ts';
import { failure, failureOf } from '../../shared/buildEvents.ts';
import type { Clock, DeploymentStore, Doorbell, EventBus, Job, JobQueue } from '../../shared/ports.ts';
import { backoff } from '../../shared/retry.ts';

export interface CloneWorkerDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly doorbell: Doorbell;
  readonly clock: Clock;
  /** Resolves the ref and decides what to build. Throws VerenError. */
  readonly analyze: (request: CreateDeployment) => Promise<Plan>;
  readonly log: (message: string, details?: unknown) => void;
}

/** Longer than the analysis may take with all its limits; a crashed worker's job is taken again after it. */
const LEASE_MS = 150_000;
/** Analyses of one deployment, those that were cut off among them. */
const MAX_TRIES = 3;

/** Analyzes what waits in queue `clone`, one job after another. Safe to run in several processes at once. */
export async function drainCloneQueue(deps: CloneWorkerDeps): Promise<void> {
  for (;;) {
    const job = await deps.queue.take(QUEUES.clone, { leaseMs: LEASE_MS });
    if (!job) return;
    const parsed = CloneJobSchema.safeParse(job.data);
    if (!parsed.success) {
      deps.log(`job ${job.id} is not a clone job and was dropped`, parsed.error);
      await deps.queue.complete(QUEUES.clone, job.id);
      continue;
    }
    await analyzeOne(deps, job, parsed.data);
  }
}

async function analyzeOne(deps: CloneWorkerDeps, job: Job, data: CloneJob): Promise<void> {
  const stored = await deps.store.get(data.deploymentId);
  if (stored && isTerminal(stored.record.status)) {
    await deps.queue.complete(QUEUES.clone, job.id);
    return;
  }
  // Counted before the work: an analysis that takes its process down with it must not be tried for ever.
  const tries = Number(job.notes.tries ?? 0) + 1;
  if (tries > MAX_TRIES && !job.notes.plan) return fail(deps, job, data, failure('INTERNAL'));
  await Promise.all([
    publish(deps, data, { type: 'deployment.analyzing' }),
    deps.queue.note(QUEUES.clone, job.id, { tries: String(tries) }),
  ]);
  let plan: Plan;
  try {
    plan = await decidedPlan(deps, job, data);
  } catch (e) {
    await afterFailure(deps, job, data, tries, e);
    return;
  }
  await publish(deps, data, { type: 'deployment.analyzed', plan });
  for (const target of TARGETS) {
    const build = buildJob(data, plan, target);
    if (!build) continue;
    const { owner, projectId } = data;
    await deps.queue.add(QUEUES.build, { id: buildJobId(data.deploymentId, target), data: build, owner, projectId });
  }
  await deps.doorbell.ring('build-worker');
  await deps.queue.complete(QUEUES.clone, job.id);
}

function buildJob(data: CloneJob, plan: Plan, target: 'frontend' | 'backend'): BuildJob | null {
  const wanted = plan[target];
  if (!wanted) return null;
  const { deploymentId, projectId, owner, request } = data;
  return {
    deploymentId,
    projectId,
    owner,
    target,
    gitUrl: request.gitUrl,
    ...(request.gitToken !== undefined && { gitToken: request.gitToken }),
    commit: plan.commit,
    plan: wanted,
    env: request.env ?? {},
  };
}

/** A worker that died after it had told of its plan must be followed by that plan: the branch may have moved since. */
async function decidedPlan(deps: CloneWorkerDeps, job: Job, data: CloneJob): Promise<Plan> {
  if (job.notes.plan) return PlanSchema.parse(JSON.parse(job.notes.plan));
  const plan = await deps.analyze(data.request);
  await deps.queue.note(QUEUES.clone, job.id, { plan: JSON.stringify(plan) });
  return plan;
}

async function afterFailure(deps: CloneWorkerDeps, job: Job, data: CloneJob, tries: number, e: unknown): Promise<void> {
  deps.log(`deployment ${data.deploymentId} could not be analyzed`, e);
  const mayPass = !(e instanceof VerenError) || e.row.fault === 'transient';
  if (mayPass && tries < MAX_TRIES) {
    await deps.queue.release(QUEUES.clone, job.id, backoff(tries));
    return;
  }
  await fail(deps, job, data, failureOf(e));
}

async function fail(deps: CloneWorkerDeps, job: Job, data: CloneJob, error: Failure): Promise<void> {
  await publish(deps, data, { type: 'deployment.failed', error });
  await deps.queue.complete(QUEUES.clone, job.id);
}

type Said =
  | { type: 'deployment.analyzing' }
  | { type: 'deployment.analyzed'; plan: Plan }
  | { type: 'deployment.failed'; error: Failure };

async function publish(deps: CloneWorkerDeps, { deploymentId, projectId }: CloneJob, said: Said): Promise<void> {
  const event: DeploymentEvent = {
    v: 1,
    id: `${deploymentId}-${said.type}`,
    at: new Date(deps.clock.now()).toISOString(),
    deploymentId,
    projectId,
    ...said,
  };
  await deps.bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify(event) }]);
}
