import type { ReleaseJob } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { mayBeShown } from '../domain/shown.ts';
import type { FunctionWaker, JobQueue } from './ports.ts';

export interface ReleaseQueueDeps {
  readonly queue: JobQueue;
  readonly waker: FunctionWaker;
}

/** Every function that sees the end of a deployment may call this any number of times: it is one job. */
export async function queueShown(deps: ReleaseQueueDeps, record: DeploymentRecord): Promise<void> {
  if (!mayBeShown(record)) return;
  const { deploymentId, projectId, owner } = record;
  await enqueueRelease(deps, `ended-${deploymentId}`, { kind: 'ended', deploymentId, projectId, owner });
  await deps.waker.wake('releaser');
}

/**
 * Enqueued before the document is changed, and woken for afterwards: should the caller die in between, the job finds the
 * release that it is for, or after a while that there is none.
 */
export const queueSwitched = (
  deps: ReleaseQueueDeps,
  of: { readonly projectId: string; readonly owner: string; readonly releaseId: string },
): Promise<boolean> => enqueueRelease(deps, `switched-${of.releaseId}`, { kind: 'switched', ...of });

/** Every address of a project is written again, e.g. after a change of settings. @param cause Part of the job's id. */
export async function queueProject(
  deps: ReleaseQueueDeps,
  of: { readonly projectId: string; readonly owner: string },
  cause: string,
): Promise<void> {
  await enqueueRelease(deps, `project-${of.projectId}-${cause}`, { kind: 'project', ...of });
  await deps.waker.wake('releaser');
}

const HOUR_MS = 3_600_000;

/** Once an hour every project is looked at, for what was lost with a queue. */
export const queueAllProjects = (deps: ReleaseQueueDeps, now: number): Promise<boolean> =>
  enqueueRelease(deps, `all-${Math.floor(now / HOUR_MS)}`, { kind: 'all' });

const enqueueRelease = ({ queue }: ReleaseQueueDeps, id: string, data: ReleaseJob): Promise<boolean> =>
  queue.enqueue(QUEUES.release, {
    id,
    data,
    ...('projectId' in data ? { projectId: data.projectId, owner: data.owner } : { projectId: '*', owner: '*' }),
  });
