import { TARGETS, type Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import type { ApiDeps } from './deps.ts';

export type CancelDeps = Pick<ApiDeps, 'bus' | 'clock' | 'stopBuilds' | 'forbidPublication'>;
export type CancelReason = { readonly reason: 'user' } | { readonly reason: 'superseded'; readonly by: string };

/**
 * Decides first (nothing of the deployment becomes visible from here on), states the end, then takes the work away: the
 * event is what the projector ends the jobs by, should this process die after it. When this returns, no waiting job of
 * the deployment is left and its running tasks were told to stop. Throws ALREADY_PUBLISHED where a builder was faster.
 */
export async function cancelDeployment(deps: CancelDeps, record: DeploymentRecord, why: CancelReason): Promise<void> {
  const published = await decide(deps, record);
  const { deploymentId, projectId, correlationId } = record;
  const event: DeploymentEvent = {
    v: 1,
    type: 'deployment.canceled',
    id: `${deploymentId}-canceled`,
    at: new Date(deps.clock.now()).toISOString(),
    deploymentId,
    projectId,
    ...(correlationId !== undefined && { correlationId }),
    published,
    ...why,
  };
  await deps.bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify(event) }]);
  await deps.stopBuilds(deploymentId, why.reason === 'user' ? 'canceled by the user' : `superseded by ${why.by}`);
}

/** Forbids every build of the deployment to publish. Gives those that had done so, or were about to, before. */
async function decide(
  deps: CancelDeps,
  { projectId, deploymentId, plan, builds }: DeploymentRecord,
): Promise<Target[]> {
  const published: Target[] = [];
  let open = false;
  for (const target of TARGETS) {
    // Before the analysis both could come into being.
    if (plan && !plan[target]) continue;
    const status = builds[target]?.status ?? 'queued';
    if (status === 'succeeded') published.push(target);
    else if (isTerminal(status)) continue;
    else if ((await deps.forbidPublication({ projectId, deploymentId, target })) === 'publish') published.push(target);
    else open ||= plan !== null;
  }
  if (published.length > 0 && !open) throw new VerenError('ALREADY_PUBLISHED');
  return published;
}
