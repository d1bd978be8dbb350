import type { ServiceJob } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import type { FunctionWaker, JobQueue } from '../ports.ts';

/** True where a backend has been built and has not run yet. */
export const mayStartService = ({ status, builds }: Pick<DeploymentRecord, 'status' | 'builds'>): boolean =>
  !isTerminal(status) && builds.backend?.stored === true;

/** May be called any number of times, by every function that sees that it is due: it is one job. */
export async function queueServiceStart(
  deps: { readonly queue: JobQueue; readonly waker: FunctionWaker },
  { deploymentId, projectId, owner }: Pick<DeploymentRecord, 'deploymentId' | 'projectId' | 'owner'>,
): Promise<void> {
  const data = { deploymentId, projectId, owner };
  await deps.queue.enqueue(QUEUES.service, { id: deploymentId, data, owner, projectId });
  await deps.waker.wake('releaser');
}

/** A release that waits until its backend has answered with other variables. */
export type ReleaseStart = ServiceJob & { readonly releaseId: string };

/** May be called any number of times for a release: it is one job. */
export async function queueReleaseStart(
  deps: { readonly queue: JobQueue; readonly waker: FunctionWaker },
  of: ReleaseStart,
): Promise<void> {
  await enqueueReleaseStart(deps.queue, of);
  await deps.waker.wake('releaser');
}

/** For who is the releaser. */
export const enqueueReleaseStart = (
  queue: JobQueue,
  { projectId, owner, deploymentId, releaseId }: ReleaseStart,
): Promise<boolean> =>
  queue.enqueue(QUEUES.service, {
    ...{ id: `release-${releaseId}`, owner, projectId },
    data: { projectId, owner, deploymentId, releaseId },
  });
