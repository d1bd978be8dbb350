import { TARGETS } from '../../contract/builders.ts';
import { type PromotionJob, promotionJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { storedBuild } from '../domain/toRecord.ts';
import type { FunctionWaker, JobQueue, StoredDeployment } from './ports.ts';

/** True when the site is stored and the deployment's other part has been built, so that the site may be published. */
export function mayPromote({ status, plan, builds }: DeploymentRecord): boolean {
  if (isTerminal(status) || !plan || !builds.frontend?.stored) return false;
  return TARGETS.every((target) => target === 'frontend' || !plan[target] || builds[target]?.status === 'succeeded');
}

/**
 * Enqueues the promotion of a stored site. May be called any number of times, by every function that sees that it is
 * due: a job of this id is enqueued once. False where it was enqueued before.
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
  // Also where the job exists already: its creator may have died before it could wake the worker.
  await deps.waker.wake('build-worker');
  return added;
}
