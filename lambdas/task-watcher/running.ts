import { QUEUES } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import type { DeploymentStore, JobQueue } from '../shared/ports.ts';

/** Whether a deployment of the project has not ended, a task of its builds may still write, or the releaser is at it. */
export async function hasRunning(
  { store, queue }: { readonly store: DeploymentStore; readonly queue: JobQueue },
  projectId: string,
): Promise<boolean> {
  for (const id of await store.unfinished()) {
    const record = (await store.get(id))?.record;
    if (record?.projectId === projectId && !isTerminal(record.status)) return true;
  }
  for (const name of [QUEUES.build, QUEUES.promote, QUEUES.release, QUEUES.copy, QUEUES.service])
    for (const job of await queue.list(name, 'active')) if (job.projectId === projectId) return true;
  return false;
}
