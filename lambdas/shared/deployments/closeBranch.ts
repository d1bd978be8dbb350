import { VerenError } from '../../../contract/errors.ts';
import { isTerminal } from '../../../contract/record.ts';
import { closePreview } from '../projects/closePreview.ts';
import type { NoteDeletion } from '../projects/deletions.ts';
import { cancelDeployment } from './cancel.ts';
import type { CreateDeps } from './createDeps.ts';

const LOOK_BACK = 100;

/**
 * Ends the preview of a branch or of a fork's pull request: what has not ended is canceled, and what it shows is not
 * kept. Production stays. Safe to repeat.
 */
export async function closeBranch(
  deps: CreateDeps & { readonly noteDeletion: NoteDeletion },
  of: { readonly projectId: string; readonly owner: string; readonly branch: string },
): Promise<void> {
  const { projectId, owner, branch } = of;
  const { items } = await deps.store.list({ owner, projectId, limit: LOOK_BACK });
  for (const record of items) {
    const isOfBranch = record.ref === branch || record.plan?.branch === branch;
    const isPreview = (record.environment ?? (await environmentAsked(deps, record.deploymentId))) === 'preview';
    if (!isOfBranch || !isPreview || isTerminal(record.status)) continue;
    await cancelDeployment(deps, record, { reason: 'user' }).catch((error) => {
      if (!(error instanceof VerenError && error.code === 'ALREADY_PUBLISHED')) throw error;
    });
  }
  await closePreview(deps, of);
}

/** Before its analysis a record does not say where it belongs. */
const environmentAsked = async ({ store }: CreateDeps, deploymentId: string) =>
  (await store.get(deploymentId))?.request?.environment;
