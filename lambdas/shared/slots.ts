import { QUEUES } from '../../contract/names.ts';
import type { FunctionWaker, JobQueue } from './ports.ts';

/**
 * Ends a build's job and lets the next one start. A slot is free when the task has stopped *and* its end is recorded: the
 * limits hold for tasks that exist, not only for builds that are not done. docs/decisions/control-slots.md
 */
export async function freeSlot(deps: { queue: JobQueue; waker: FunctionWaker }, jobId: string): Promise<void> {
  if (await deps.queue.ack(QUEUES.build, jobId)) await deps.waker.wake('build-worker');
}
