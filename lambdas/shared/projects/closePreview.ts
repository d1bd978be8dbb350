import type { Clock, DeploymentStore } from '../ports.ts';
import type { NoteDeletion } from './deletions.ts';
import { markExpiring } from './expiry.ts';
import type { ProjectStore } from './projectStore.ts';

const PAGE = 100;
/** Newest deployments of the project that are looked at; older ones end by their age. */
const LOOK_BACK = 2_000;

/**
 * Ends the preview of a branch or pull request: its deployments are not kept any more, and the next sweep removes their
 * files and images. What production serves, or has served lately, stays. Safe to repeat.
 * @returns How many deployments were marked by this call.
 */
export async function closePreview(
  deps: {
    readonly projects: ProjectStore;
    readonly store: DeploymentStore;
    readonly noteDeletion: NoteDeletion;
    readonly clock: Clock;
  },
  { projectId, owner, branch }: { readonly projectId: string; readonly owner: string; readonly branch: string },
): Promise<number> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let seen = 0; seen < LOOK_BACK; seen += PAGE) {
    const page = await deps.store.list({ owner, projectId, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    for (const { deploymentId, plan, environment, expired } of page.items)
      if (plan?.branch === branch && (environment ?? plan.lane) !== 'production' && !expired) ids.push(deploymentId);
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  if (ids.length === 0) return 0;
  let count = 0;
  await deps.projects.change(projectId, (project) => {
    const after = markExpiring(project, ids, deps.clock.now(), 'closed');
    count = (after.expiring?.length ?? 0) - (project.expiring?.length ?? 0);
    return after;
  });
  await deps.noteDeletion(projectId);
  return count;
}
