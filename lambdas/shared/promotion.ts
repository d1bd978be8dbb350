import { TARGETS } from '../../contract/builders.ts';
import { type PromotionJob, promotionJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { storedBuild } from '../domain/toRecord.ts';
import type { FunctionWaker, JobQueue, StoredDeployment } from './ports.ts';

/** The site is stored, and every other part of the deployment has been built: it may be shown. */
export function mayPromote({ status, plan, builds }: DeploymentRecord): boolean {
  if (isTerminal(status) || !plan || !builds.frontend?.stored) return false;
  return TARGETS.every((target) => target === 'frontend' || !plan[target] || builds[target]?.status === 'succeeded');
}

/**
 * Queues the promotion of a stored site. May be called by everybody who sees that it is due, as often as they like: a job
 * of this id is added once. False where it was added before.
 */
export async function queuePromotion(
  deps: { queue: JobQueue; waker: FunctionWaker },
  { record, facts }: StoredDeployment,
): Promise<boolean> {
  const stored = storedBuild(facts, 'frontend');
  if (!stored) return false;
  const { deploymentId, projectId, owner, correlationId } = record;
  const { attempt, artifact, logLines } = stored;
  const data: PromotionJob = {
    ...{ deploymentId, projectId, owner, attempt, artifact, logLines },
    ...(correlationId !== undefined && { correlationId }),
  };
  const added = await deps.queue.enqueue(QUEUES.promote, { id: promotionJobId(deploymentId), data, owner, projectId });
  // Also where it was there already: whoever added it may have died before it could wake the worker.
  await deps.waker.wake('build-worker');
  return added;
}
