import type { DeploymentEvent } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { ApiDeps } from './deps.ts';

/**
 * States the end first, then takes the work away: the event is what the projector ends the jobs by, should this process
 * die after it. When this returns, no waiting job of the deployment is left and its running tasks were told to stop.
 */
export async function cancelDeployment(
  deps: Pick<ApiDeps, 'bus' | 'clock' | 'stopBuilds'>,
  record: DeploymentRecord,
  reason: 'user' | 'superseded',
  by?: string,
): Promise<void> {
  const event: DeploymentEvent = {
    v: 1,
    type: 'deployment.canceled',
    id: `${record.deploymentId}-canceled`,
    at: new Date(deps.clock.now()).toISOString(),
    deploymentId: record.deploymentId,
    projectId: record.projectId,
    reason,
    ...(by !== undefined && { by }),
  };
  await deps.bus.publish(TOPICS.events, [{ key: record.deploymentId, value: JSON.stringify(event) }]);
  await deps.stopBuilds(record.deploymentId, reason === 'user' ? 'canceled by the user' : `superseded by ${by}`);
}
