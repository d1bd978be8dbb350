import type { QueueName } from '../../../contract/names.ts';
import type { Clock, Job, JobQueue } from '../../shared/ports.ts';

/** A place in the queue is told once per state, and need not be newer than this (ms). */
const REMEMBERED_MS = 5_000;

/** The waiting jobs of a queue, listed once for the reports that follow one another. */
export function rememberWaiting(
  queue: Pick<JobQueue, 'list'>,
  clock: Clock,
): (name: QueueName) => Promise<readonly Job[]> {
  const known = new Map<QueueName, { readonly at: number; readonly jobs: Promise<readonly Job[]> }>();
  return (name) => {
    const now = clock.now();
    const found = known.get(name);
    if (found && now >= found.at && now < found.at + REMEMBERED_MS) return found.jobs;
    const jobs = queue.list(name, 'waiting');
    known.set(name, { at: now, jobs });
    // A fault is not remembered.
    jobs.catch(() => known.delete(name));
    return jobs;
  };
}
