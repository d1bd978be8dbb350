import { type CloneJob, cloneJobId, type StoredRequest } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import type { RequestedEvent } from '../domain/events.ts';
import type { EventBus, FunctionWaker, JobQueue, NewJob, StoredDeployment } from './ports.ts';
import { publishEvents } from './publishEvents.ts';

interface Deps {
  readonly bus: EventBus;
  readonly queue: JobQueue;
  readonly waker: FunctionWaker;
}

/** A deployment's first job. */
export function cloneJob(
  { deploymentId, projectId, owner, correlationId }: RequestedEvent,
  request: StoredRequest,
): NewJob<CloneJob> & { readonly queue: typeof QUEUES.clone } {
  const data = { deploymentId, projectId, owner, ...(correlationId !== undefined && { correlationId }), request };
  return { queue: QUEUES.clone, id: cloneJobId(deploymentId), data, owner, projectId };
}

/**
 * Publishes the request of a deployment whose job is enqueued. The worker publishes it too, before any other event of
 * the deployment, so that Kafka has the request first even if this process dies before it could publish it.
 */
export async function publishRequested(
  { bus, waker }: Pick<Deps, 'bus' | 'waker'>,
  requested: RequestedEvent,
): Promise<void> {
  await Promise.all([publishEvents(bus, requested), waker.wake('clone-worker')]);
}

/**
 * Submits a stored deployment again: event, job, wake. Every step is idempotent, so a client whose answer was lost can
 * repeat its request, and the sweep can submit a deployment whose job was lost with Redis.
 */
export async function submitDeployment(deps: Deps, { record, request, facts }: StoredDeployment): Promise<void> {
  if (isTerminal(record.status) || !request || !facts.requested) return;
  const { queue, ...job } = cloneJob(facts.requested, request);
  await deps.queue.enqueue(queue, job);
  await publishRequested(deps, facts.requested);
}
