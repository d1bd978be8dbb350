import type { StoredNotes } from '../../contract/jobs.ts';
import { type NotedJob, readBuildNote, writeBuildNotes } from './jobNotes.ts';

type Job = Pick<NotedJob, 'notes'>;

/**
 * Finds the job that crashes the platform. A crash while a job was being worked on makes it a suspect; a crash while it
 * only waited clears it. So a job that crashes the platform each time it runs is given up, and jobs that ran beside it
 * are not.
 */

/** After so many crashes in a row suspects run alone, so that the next crash shows which of them caused it. */
const ALONE_FROM = 2;
/** A build that was at work in so many crashes in a row is given up. */
export const MAX_BUILD_CRASHES = 5;
/** The same for an analysis. It takes seconds, so that crashes caused by other jobs hardly ever hit it. */
export const MAX_CLONE_CRASHES = 3;

/** Crashes in a row during which the job was at work. */
export const crashesOf = (job: Job): number => readBuildNote(job, 'crashes') ?? 0;

/** The note of it, which clone jobs have too. */
export const crashNote = (crashes: number): StoredNotes => writeBuildNotes({ crashes });

/** Whether nothing else may be active in its queue while the job is. */
export const runsAlone = (job: Job): boolean => crashesOf(job) >= ALONE_FROM;

/** How long a suspect waits (ms): long enough for a crash with another cause to happen meanwhile, which clears it. */
export function crashBackoff(crashes: number, random: () => number = Math.random): number {
  const most = crashes < ALONE_FROM ? 1_000 : Math.min(60_000, 5_000 * 4 ** (crashes - ALONE_FROM));
  return Math.round(most * (0.5 + random() / 2));
}
