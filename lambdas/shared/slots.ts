import { QUEUES } from '../../contract/names.ts';
import type { Doorbell, JobQueue } from './ports.ts';

/**
 * Ends a build's job and lets the next one start. A slot is free when the task has stopped *and* its end is recorded: the
 * limits hold for tasks that exist, not only for builds that are not done. docs/decisions/control-slots.md
 */
export async function freeSlot(deps: { queue: JobQueue; doorbell: Doorbell }, jobId: string): Promise<void> {
  if (await deps.queue.complete(QUEUES.build, jobId)) await deps.doorbell.ring('build-worker');
}
