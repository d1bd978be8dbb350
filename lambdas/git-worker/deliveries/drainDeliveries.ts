import { VerenError } from '../../../contract/errors.ts';
import { type DeliveryJob, DeliveryJobSchema } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import { backoffDelay } from '../../domain/retry.ts';
import { clearFault, noteFault } from '../../shared/gitHosts/gitFault.ts';
import { withLogFields } from '../../shared/logger.ts';
import type { ClaimedJob, Limits } from '../../shared/ports.ts';
import type { GitWorkerDeps } from '../deps.ts';
import { LEASE_MS } from '../lease.ts';
import { followDelivery } from './followDelivery.ts';

/** Deliveries of one project follow one another, so that what a branch points at is read in the order of deployments. */
const ONE_OF_A_PROJECT: Limits = { global: 1_000, perOwner: 1_000, perProject: 1 };
/** With pauses of up to a minute an outage of so many minutes is survived. */
const MAX_TRIES = 60;
/** For so long a delivery waits for the limit of its owner, which counts as no try. */
const MAX_LIMITED_MS = 24 * 3_600_000;

/**
 * Does what follows from deliveries, one after another. Safe to run in several processes.
 * @returns True where no job was left.
 */
export async function drainDeliveries(deps: GitWorkerDeps, mayTakeMore: () => boolean): Promise<boolean> {
  while (mayTakeMore()) {
    const job = await deps.queue.claim(QUEUES.delivery, { leaseMs: LEASE_MS, limits: ONE_OF_A_PROJECT });
    if (!job) return true;
    const parsed = DeliveryJobSchema.safeParse(job.data);
    if (!parsed.success) {
      deps.log.error('A job of the queue is no delivery and was dropped', { jobId: job.id, error: parsed.error });
      await deps.queue.ack(QUEUES.delivery, job.id);
      continue;
    }
    await withLogFields({ projectId: job.projectId }, () => followOne(deps, job, parsed.data));
  }
  return false;
}

/** What the user has to change does not change by another try; a limit of the owner does. */
const mayPass = (error: unknown) =>
  !(error instanceof VerenError) || error.row.fault !== 'user' || error.row.status === 429;

/** How long to wait (ms) where the owner has made too many deployments; undefined for every other error. */
const readLimitWait = (error: unknown): number | undefined =>
  error instanceof VerenError && error.code === 'RATE_LIMITED'
    ? Math.max(1, Number(error.details.seconds)) * 1_000
    : undefined;

/** The view of each project says that a delivery was given up, and why; an error of ours has no words for users. */
async function noteLost(deps: GitWorkerDeps, { projectIds, host, receivedAt }: DeliveryJob, error: unknown) {
  const reason = error instanceof VerenError ? error.message : 'the platform could not follow it';
  const details = { host, at: new Date(receivedAt).toISOString(), reason };
  for (const projectId of projectIds)
    await noteFault(deps, projectId, { code: 'GIT_DELIVERY_LOST', details }).catch((fault) =>
      deps.log.error('A fault could not be noted in its project', { projectId, error: fault }),
    );
}

async function followOne(deps: GitWorkerDeps, job: ClaimedJob, data: DeliveryJob): Promise<void> {
  try {
    await followDelivery(deps, data, job.attempt);
    if (data.delivery.kind !== 'nothing')
      for (const projectId of data.projectIds) await clearFault(deps, projectId, ['GIT_DELIVERY_LOST']);
  } catch (error) {
    const waitMs = readLimitWait(error);
    if (waitMs !== undefined && deps.clock.now() - job.addedAt < MAX_LIMITED_MS) {
      deps.log.warn('A delivery waits for the limit of its owner', { waitMs });
      await deps.queue.requeue(QUEUES.delivery, job.id, waitMs);
      return;
    }
    if (job.attempt < MAX_TRIES && mayPass(error)) {
      deps.log.warn('A delivery could not be followed and is tried again', { try: job.attempt, error });
      await deps.queue.retry(QUEUES.delivery, job.id, job.attempt, backoffDelay(job.attempt - 1));
      return;
    }
    deps.log.error('A delivery was given up', { jobId: job.id, error });
    await noteLost(deps, data, error);
  }
  await deps.queue.ack(QUEUES.delivery, job.id);
}
