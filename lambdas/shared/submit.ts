import type { DeploymentEvent } from '../../contract/events.ts';
import { type CloneJob, cloneJobId, type StoredRequest } from '../../contract/jobs.ts';
import { QUEUES, TOPICS } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import type { Doorbell, EventBus, JobQueue, NewJob, StoredDeployment } from './ports.ts';

type Requested = Extract<DeploymentEvent, { type: 'deployment.requested' }>;
interface Deps {
  readonly bus: EventBus;
  readonly queue: JobQueue;
  readonly doorbell: Doorbell;
}

/** A deployment's first job. */
export function cloneJob(
  { deploymentId, projectId, owner }: Requested,
  request: StoredRequest,
): NewJob<CloneJob> & { readonly queue: typeof QUEUES.clone } {
  const data = { deploymentId, projectId, owner, request };
  return { queue: QUEUES.clone, id: cloneJobId(deploymentId), data, owner, projectId };
}

/**
 * Tells of a deployment whose job is queued. The worker does not wait for the event: it says the same before anything
 * else of the deployment, so that the log has the request first, whoever dies in between.
 */
export async function tell({ bus, doorbell }: Pick<Deps, 'bus' | 'doorbell'>, requested: Requested): Promise<void> {
  const message = { key: requested.deploymentId, value: JSON.stringify(requested) };
  await Promise.all([bus.publish(TOPICS.events, [message]), doorbell.ring('clone-worker')]);
}

/**
 * Hands a stored deployment to the pipeline again: event, job, doorbell. Every step is idempotent, so the caller whose
 * answer was lost can repeat the request, and the sweep can repeat it for one that has lost its job with Redis.
 */
export async function submit(deps: Deps, { record, request, facts }: StoredDeployment): Promise<void> {
  if (isTerminal(record.status) || !request || !facts.requested) return;
  const { queue, ...job } = cloneJob(facts.requested, request);
  await deps.queue.add(queue, job);
  await tell(deps, facts.requested);
}
