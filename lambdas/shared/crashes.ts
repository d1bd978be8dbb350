import { QUEUES } from '../../contract/names.ts';
import type { Job, JobQueue } from './ports.ts';

/**
 * Who is to blame when the platform itself goes down. A crash while a job was at work makes it a suspect; a crash while it
 * only waited clears it. So what kills the platform each time it runs is given up, and what merely ran beside it is not.
 */
const NOTE = 'crashes';

/** Suspects run alone from so many crashes in a row on: then the next crash says which of them it was. */
const ALONE_FROM = 2;
/** A build that was at work in so many crashes in a row is given up. */
export const MAX_BUILD_CRASHES = 5;
/** The same for an analysis: it takes seconds, so that others' crashes hardly ever meet it. */
export const MAX_CLONE_CRASHES = 3;

/** Crashes in a row during which the job was at work. */
export const crashesOf = ({ notes }: Pick<Job, 'notes'>): number => Number(notes[NOTE] ?? 0);

export const crashNote = (crashes: number): Record<string, string> => ({ [NOTE]: String(crashes) });

/** Whether nothing else may be active in its queue while the job is. */
export const runsAlone = (job: Pick<Job, 'notes'>): boolean => crashesOf(job) >= ALONE_FROM;

/** How long a suspect waits (ms): long enough that a crash of another cause comes meanwhile and clears it. */
export function crashBackoff(crashes: number, random: () => number = Math.random): number {
  const most = crashes < ALONE_FROM ? 1_000 : Math.min(60_000, 5_000 * 4 ** (crashes - ALONE_FROM));
  return Math.round(most * (0.5 + random() / 2));
}

/** After a crash: no job that waited during it was its cause. */
export async function clearWaitingSuspects(queue: JobQueue): Promise<void> {
  for (const name of Object.values(QUEUES))
    for (const job of await queue.list(name, 'waiting'))
      if (crashesOf(job) > 0) await queue.note(name, job.id, crashNote(0));
}
