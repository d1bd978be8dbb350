import { TARGETS, type Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import { type DeploymentRecord, isTerminal } from '../../contract/record.ts';
import { type CancelReason, makeCanceledEvent } from '../domain/events.ts';
import { publishEvents } from '../shared/publishEvents.ts';
import type { ApiDeps } from './deps.ts';

export type CancelDeps = Pick<ApiDeps, 'bus' | 'clock' | 'stopBuilds' | 'forbidPublication'>;

/**
 * Decides first (nothing of the deployment becomes visible from here on), states the end, then takes the work away: the
 * event is what the projector ends the jobs by, should this process die after it. When this returns, no waiting job of
 * the deployment is left and its running tasks were told to stop. Throws ALREADY_PUBLISHED where a builder was faster.
 */
export async function cancelDeployment(deps: CancelDeps, record: DeploymentRecord, why: CancelReason): Promise<void> {
  const published = await decideCancel(deps, record);
  await publishEvents(deps.bus, makeCanceledEvent(record, published, why, deps.clock.now()));
  await deps.stopBuilds(
    record.deploymentId,
    why.reason === 'user' ? 'canceled by the user' : `superseded by ${why.by}`,
  );
}

/** Forbids every build of the deployment to publish. Gives those that had done so, or were about to, before. */
async function decideCancel(
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
