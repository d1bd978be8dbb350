import { QUEUES } from '../../contract/names.ts';
import { crashesOf, crashNote } from '../../lambdas/domain/crashes.ts';
import type { JobQueue } from '../../lambdas/shared/ports.ts';

/** After a crash: no job that waited during it was its cause. */
export async function clearWaitingSuspects(queue: JobQueue): Promise<void> {
  for (const name of Object.values(QUEUES))
    for (const job of await queue.list(name, 'waiting'))
      if (crashesOf(job) > 0) await queue.note(name, job.id, crashNote(0));
}
