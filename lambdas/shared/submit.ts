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
 * Tells of a deployment whose job is queued. The worker does not wait for the event: it says the same before anything
 * else of the deployment, so that the log has the request first, whoever dies in between.
 */
export async function publishRequested(
  { bus, waker }: Pick<Deps, 'bus' | 'waker'>,
  requested: RequestedEvent,
): Promise<void> {
  await Promise.all([publishEvents(bus, requested), waker.wake('clone-worker')]);
}

/**
 * Hands a stored deployment to the pipeline again: event, job, waker. Every step is idempotent, so the caller whose
 * answer was lost can repeat the request, and the sweep can repeat it for one that has lost its job with Redis.
 */
export async function submitDeployment(deps: Deps, { record, request, facts }: StoredDeployment): Promise<void> {
  if (isTerminal(record.status) || !request || !facts.requested) return;
  const { queue, ...job } = cloneJob(facts.requested, request);
  await deps.queue.enqueue(queue, job);
  await publishRequested(deps, facts.requested);
}
