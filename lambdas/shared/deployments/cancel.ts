import { TARGETS, type Target } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import { type CancelReason, makeCanceledEvent } from '../../domain/events.ts';
import { publishEvents } from '../publishEvents.ts';
import type { CreateDeps } from './createDeps.ts';

export type CancelDeps = Pick<CreateDeps, 'bus' | 'clock' | 'stopBuilds' | 'forbidPublication'>;

/**
 * Cancels in three steps: it decides that nothing of the deployment may be published any more, publishes the event, and
 * removes the jobs. Should this process die after the second step, the projector removes the jobs because of the event.
 * When this returns, no waiting job of the deployment is left and ECS was asked to stop its running tasks. Throws
 * ALREADY_PUBLISHED where a builder was first.
 */
export async function cancelDeployment(deps: CancelDeps, record: DeploymentRecord, why: CancelReason): Promise<void> {
  const published = await decideCancel(deps, record);
  await publishEvents(deps.bus, makeCanceledEvent(record, published, why, deps.clock.now()));
  await deps.stopBuilds(
    record.deploymentId,
    why.reason === 'user' ? 'canceled by the user' : `superseded by ${why.by}`,
  );
}

/** Forbids every build of the deployment to publish. @returns the builds whose publication was decided before */
async function decideCancel(
  deps: CancelDeps,
  { projectId, deploymentId, plan, builds }: DeploymentRecord,
): Promise<Target[]> {
  const published: Target[] = [];
  let open = false;
  for (const target of TARGETS) {
    // Before the analysis the deployment may get a build of either target.
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
