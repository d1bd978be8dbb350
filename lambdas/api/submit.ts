import { cloneJobId } from '../../contract/jobs.ts';
import { QUEUES, TOPICS } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import type { StoredDeployment } from '../shared/ports.ts';
import type { ApiDeps } from './deps.ts';

/**
 * Hands a stored deployment to the pipeline: event, job, doorbell. Every step is idempotent, so the caller whose answer
 * was lost can repeat the request, and the sweep can repeat it for one that crashed in between.
 */
export async function submit(
  deps: Pick<ApiDeps, 'bus' | 'queue' | 'doorbell'>,
  stored: StoredDeployment,
): Promise<void> {
  const { record, request, facts } = stored;
  if (isTerminal(record.status) || !request || !facts.requested) return;
  const { deploymentId, projectId, owner } = record;
  await deps.bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify(facts.requested) }]);
  await deps.queue.add(QUEUES.clone, {
    id: cloneJobId(deploymentId),
    data: { deploymentId, projectId, owner, request },
    owner,
    projectId,
  });
  await deps.doorbell.ring('clone-worker');
}
