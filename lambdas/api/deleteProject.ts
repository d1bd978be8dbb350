import { VerenError } from '../../contract/errors.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { forEachParallel } from '../shared/async.ts';
import { cancelDeployment } from '../shared/deployments/cancel.ts';
import type { ApiDeps } from './deps.ts';

const AT_ONCE = 20;

/**
 * Marks a project as being deleted and cancels what runs of it. From the mark on nothing can be deployed or released;
 * the task-watcher removes the project when its time has come and nothing of it runs any more. Safe to repeat; a repeat
 * can only bring the removal forward.
 */
export async function askDeletion(
  deps: ApiDeps,
  { projectId, addressKey }: ProjectDocument,
  by: string,
  { atOnce }: { readonly atOnce: boolean },
): Promise<ProjectDocument> {
  const now = deps.clock.now();
  const at = new Date(now).toISOString();
  const until = new Date(atOnce ? now : now + deps.deletionGraceMs).toISOString();
  // Before the mark: a note without a mark is dropped by the sweep, and a mark without a note would never be seen.
  await deps.noteDeletion(projectId);
  const marked = await deps.projects.change(projectId, (project) => {
    if (project.addressKey !== addressKey) return project;
    const { deleting } = project;
    if (!deleting) return { ...project, deleting: { by, at, until } };
    return atOnce && !deleting.removal ? { ...project, deleting: { ...deleting, until } } : project;
  });
  if (marked?.addressKey !== addressKey) throw new VerenError('NOT_FOUND', { what: `project "${projectId}"` });
  // The sweep drops a note whose project it has read before the mark.
  await deps.noteDeletion(projectId);
  await forEachParallel(await unfinishedOf(deps, projectId), AT_ONCE, async (record) => {
    await cancelDeployment(deps, record, { reason: 'user' }).catch((e) => {
      // It has just been published, and ends by itself.
      if (!(e instanceof VerenError && e.code === 'ALREADY_PUBLISHED')) throw e;
    });
  });
  return marked;
}

async function unfinishedOf({ store }: ApiDeps, projectId: string): Promise<DeploymentRecord[]> {
  const found: DeploymentRecord[] = [];
  await forEachParallel(await store.unfinished(), AT_ONCE, async (id) => {
    const record = (await store.get(id))?.record;
    if (record?.projectId === projectId && !isTerminal(record.status)) found.push(record);
  });
  return found;
}

/** Takes a deletion back. Throws RESTORE_TOO_LATE where the removal has begun. */
export async function askRestore(
  deps: Pick<ApiDeps, 'projects'>,
  { projectId }: ProjectDocument,
): Promise<ProjectDocument> {
  const restored = await deps.projects.change(projectId, (project) => {
    if (!project.deleting) return project;
    if (project.deleting.removal) throw new VerenError('RESTORE_TOO_LATE', { projectId });
    const { deleting: _, ...rest } = project;
    return rest;
  });
  if (!restored) throw new VerenError('RESTORE_TOO_LATE', { projectId });
  return restored;
}
