import type { ReportJob } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import type { FunctionWaker, JobQueue } from '../ports.ts';

/**
 * Asks for a report on a deployment to its git host. A job is remembered long after its end, so every state that is to be
 * told has a revision of its own; the worker tells the newest state whatever the revision is.
 */
export async function queueReport(
  deps: { readonly queue: JobQueue; readonly waker: FunctionWaker },
  of: ReportJob & { readonly revision: string },
): Promise<void> {
  const { revision, ...data } = of;
  const id = `${of.deploymentId}-${revision}`;
  const { projectId, owner } = of;
  if (await deps.queue.enqueue(QUEUES.report, { id, data, projectId, owner })) await deps.waker.wake('git-worker');
}

/** Asks for a report on a stranger's pull request that waits for a member. Asked for again, nothing more is told. */
export async function queueHeldReport(
  deps: { readonly queue: JobQueue; readonly waker: FunctionWaker; readonly newId: () => string },
  of: { readonly projectId: string; readonly owner: string; readonly number: number; readonly commit: string },
): Promise<void> {
  const { projectId, owner, number, commit } = of;
  const data: ReportJob = { projectId, owner, deploymentId: deps.newId(), held: { number, commit } };
  const id = `held-${projectId}-${number}-${commit}`;
  if (await deps.queue.enqueue(QUEUES.report, { id, data, projectId, owner })) await deps.waker.wake('git-worker');
}
