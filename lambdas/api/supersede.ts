import { VerenError } from '../../contract/errors.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { isSuperseded } from '../domain/supersede.ts';
import { type CancelDeps, cancelDeployment } from './cancel.ts';
import type { ApiDeps } from './deps.ts';

/** Deployments of a project that are looked through, newest first: what is older was superseded by one of these. */
const LOOK_BACK = 100;

/**
 * Cancels the older deployments of the same project, repository and ref that have not come far: nobody waits for their
 * result any more. A redeploy names the commit, not the branch, so it neither ends a push nor is ended by one. May be
 * repeated at any time: a deployment never ends one that is newer than itself, nor any once it has ended.
 */
export async function supersedeOlder(
  deps: CancelDeps & Pick<ApiDeps, 'store' | 'supersede' | 'log'>,
  by: DeploymentRecord,
): Promise<void> {
  if (deps.supersede === 'off' || isTerminal(by.status)) return;
  const { owner, projectId, deploymentId } = by;
  const { items } = await deps.store.list({ owner, projectId, limit: LOOK_BACK });
  for (const older of items)
    if (isSuperseded(older, by, deps.supersede))
      await cancelDeployment(deps, older, { reason: 'superseded', by: deploymentId }).catch((e) => {
        // The newer one is accepted whatever becomes of the older one: that runs to its end, and the newer stays live.
        if (!(e instanceof VerenError && e.code === 'ALREADY_PUBLISHED'))
          deps.log.warn('An older deployment could not be superseded', {
            deploymentId: older.deploymentId,
            supersededBy: deploymentId,
            error: e,
          });
      });
}
