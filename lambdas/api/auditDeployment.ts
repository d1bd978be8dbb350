import type { Caller } from '../../contract/people.ts';
import type { ApiDeps } from './deps.ts';

interface ChangedDeployment {
  readonly projectId: string;
  readonly deploymentId: string;
}

/** Notes who has asked for a change of a deployment. It has been made by then, so a failure is only logged. */
export async function auditDeployment(
  deps: Pick<ApiDeps, 'audit' | 'log'>,
  { owner, name }: Caller,
  action: 'create' | 'redeploy' | 'cancel',
  { projectId, deploymentId }: ChangedDeployment,
): Promise<void> {
  await deps
    .audit({ owner, by: name, action: `deployment.${action}`, projectId, subject: deploymentId })
    .catch((error) => deps.log.warn('A change could not be noted in the audit list', { deploymentId, action, error }));
}
