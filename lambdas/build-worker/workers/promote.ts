import type { Objects } from '../../../builder-images/shared/object-calls.ts';
import { claimPublication } from '../../../builder-images/shared/verdict.ts';
import { VerenError } from '../../../contract/errors.ts';
import { type PromotionJob, PromotionJobSchema } from '../../../contract/jobs.ts';
import { QUEUES, s3Keys } from '../../../contract/names.ts';
import { isTerminal } from '../../../contract/record.ts';
import { type BuildRef, fieldsOfBuild } from '../../domain/events.ts';
import { failure, failureOf } from '../../domain/failure.ts';
import { countLapses, recordLapses } from '../../domain/promotionJob.ts';
import { backoffDelay } from '../../domain/retry.ts';
import { type Log, withLogFields } from '../../shared/logger.ts';
import type { ClaimedJob, Clock, DeploymentStore, EventBus, JobQueue } from '../../shared/ports.ts';
import { publishBuildEvent } from '../../shared/publishEvents.ts';
import type { MintCredentials } from '../services/credentials.ts';
import type { BuildCredentials } from '../services/distributionHandler/environment.ts';

export interface PromotionDeps {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly bus: EventBus;
  readonly clock: Clock;
  /** The rights of the project's own builds: a promotion is the last step of a build. */
  readonly mintCredentials: MintCredentials;
  /** The bucket as these credentials may use it. */
  readonly openObjects: (credentials: BuildCredentials) => Objects;
  readonly log: Log;
}

/** Longer than a decision may take; after it another worker can claim the job. */
export const PROMOTION_LEASE_MS = 120_000;
/** Outages of S3 are rare and short, and a finished build should not be lost because of one. */
const MAX_TRIES = 8;
/**
 * After so many workers have died or run out of time over one promotion it is given up, since the next would die as
 * well.
 */
const MAX_LAPSES = 10;

/**
 * Decides on the publication of stored sites whose deployment's other part has been built; the releaser then shows them. Safe to run in several processes at once.
 * @returns True where no job was left.
 */
export async function drainPromotions(deps: PromotionDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> {
  while (mayTakeMore()) {
    const job = await deps.queue.claim(QUEUES.promote, { leaseMs: PROMOTION_LEASE_MS });
    if (!job) return true;
    const parsed = PromotionJobSchema.safeParse(job.data);
    if (parsed.success) {
      const build: BuildRef = { ...parsed.data, target: 'frontend' };
      await withLogFields(fieldsOfBuild(build), () => promoteSite(deps, job, build, parsed.data));
    } else {
      deps.log.error('A job that is not a promotion was dropped', { jobId: job.id, error: parsed.error });
      await deps.queue.ack(QUEUES.promote, job.id);
    }
  }
  return false;
}

/** Publishes the result before it ends the job: if this process dies in between, the next one does both again. */
async function promoteSite(deps: PromotionDeps, job: ClaimedJob, build: BuildRef, data: PromotionJob): Promise<void> {
  const { artifact, logLines } = data;
  const lapses = countLapses(job);
  if (job.leaseExpired) await deps.queue.note(QUEUES.promote, job.id, recordLapses(lapses));
  if (lapses >= MAX_LAPSES) {
    deps.log.error('A promotion ended too many workers and is given up', { lapses });
    const error = failure('RETRIES_EXHAUSTED', { attempts: lapses, reason: 'the worker ended each time' });
    await publishBuildEvent(deps, build, { type: 'build.failed', error, logLines });
  } else if (!(await hasEnded(deps, data)))
    try {
      await claimSite(deps, data);
      await publishBuildEvent(deps, build, { type: 'build.succeeded', artifact, logLines });
    } catch (e) {
      const canceled = e instanceof VerenError && e.code === 'DEPLOYMENT_CANCELED';
      deps.log.warn('The publication of a site was not decided', { try: job.attempt, error: e });
      if (!canceled && job.attempt < MAX_TRIES) {
        await deps.queue.retry(QUEUES.promote, job.id, job.attempt, backoffDelay(job.attempt));
        return;
      }
      const error = canceled
        ? failureOf(e)
        : failure('RETRIES_EXHAUSTED', { attempts: job.attempt, reason: (e as Error).message });
      await publishBuildEvent(deps, build, { type: 'build.failed', error, logLines });
    }
  await deps.queue.ack(QUEUES.promote, job.id);
}

/** Decides that the site may be shown. Throws DEPLOYMENT_CANCELED where a cancellation was first. */
async function claimSite(deps: PromotionDeps, data: PromotionJob): Promise<void> {
  const { deploymentId, projectId, attempt } = data;
  const subject = { deploymentId, projectId, target: 'frontend', lane: 'untrusted' } as const; // it needs no cache
  const objects = deps.openObjects(await deps.mintCredentials(subject, attempt, 0));
  if (!(await objects.get(s3Keys.deploymentManifest(projectId, deploymentId))))
    throw new Error('what was stored is not there any more');
  await claimPublication(objects, subject, deps.clock.now);
}

async function hasEnded({ store }: PromotionDeps, { deploymentId }: PromotionJob): Promise<boolean> {
  const record = (await store.get(deploymentId))?.record;
  return record !== undefined && (isTerminal(record.status) || isTerminal(record.builds.frontend?.status ?? 'queued'));
}
