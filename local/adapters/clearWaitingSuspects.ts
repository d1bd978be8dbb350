import { QUEUES } from '../../contract/names.ts';
import { crashesOf, crashNote } from '../../lambdas/domain/crashes.ts';
import type { JobQueue } from '../../lambdas/shared/ports.ts';

/** After a crash: jobs that were only waiting cannot have caused it, so they are no suspects any more. */
export async function clearWaitingSuspects(queue: JobQueue): Promise<void> {
  for (const name of Object.values(QUEUES))
    for (const job of await queue.list(name, 'waiting'))
      if (crashesOf(job) > 0) await queue.note(name, job.id, crashNote(0));
}
