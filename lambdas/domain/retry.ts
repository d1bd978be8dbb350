import type { StoredNotes } from '../../contract/jobs.ts';
import { crashBackoff, crashesOf, MAX_BUILD_CRASHES } from './crashes.ts';
import { type NotedJob, readBuildNote, writeBuildNotes } from './jobNotes.ts';

/** How many attempts may end for reasons in a build's surroundings. Faults of the user's build are never retried. */
export const MAX_ATTEMPTS = 3;
/** Attempts in all, those that the platform has ended among them. Not more than `MAX_ATTEMPT` of the reducer. */
export const MAX_ATTEMPTS_IN_ALL = 100;

/**
 * What ended an attempt: `build`, the build or its surroundings; `platform`, the platform or the host; `crash`, a crash
 * of the platform.
 */
export type EndedBy = 'build' | 'platform' | 'crash';

/**
 * Milliseconds, exponential, at most a minute. The jitter keeps builds that failed together from being retried
 * together.
 */
export const backoffDelay = (n: number, random: () => number = Math.random) =>
  Math.round(Math.min(60_000, 1_000 * 2 ** n) * (0.5 + random() / 2));

export type NextAttempt =
  | { readonly delayMs: number; readonly notes: StoredNotes }
  | { readonly lastError: 'RETRIES_EXHAUSTED' | 'CRASHES_REPEATED'; readonly crashes: number };

/** The attempt that follows one which ended for such a reason. A job that is gone has no notes. */
export function nextAttempt(job: Pick<NotedJob, 'notes'> | null, attempt: number, endedBy: EndedBy): NextAttempt {
  const before = job ?? { notes: {} };
  const excused = (readBuildNote(before, 'excused') ?? 0) + (endedBy === 'build' ? 0 : 1);
  // An orderly stop does not show what caused earlier crashes; an attempt that ended by itself clears the build.
  const crashes = endedBy === 'build' ? 0 : crashesOf(before) + (endedBy === 'crash' ? 1 : 0);
  if (crashes >= MAX_BUILD_CRASHES) return { lastError: 'CRASHES_REPEATED', crashes };
  const charged = attempt - excused;
  if (charged >= MAX_ATTEMPTS || attempt >= MAX_ATTEMPTS_IN_ALL) return { lastError: 'RETRIES_EXHAUSTED', crashes };
  return {
    delayMs: endedBy === 'crash' ? crashBackoff(crashes) : backoffDelay(charged),
    notes: writeBuildNotes({ ...(excused > 0 && { excused }), ...(crashes > 0 && { crashes }) }),
  };
}
