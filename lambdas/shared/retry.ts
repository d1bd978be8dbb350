import { buildJobId } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import type { Failure } from '../../contract/record.ts';
import { type BuildRef, failure, publishBuildEvent } from './buildEvents.ts';
import { crashBackoff, crashesOf, crashNote, MAX_BUILD_CRASHES } from './crashes.ts';
import type { Clock, EventBus, Job, JobQueue } from './ports.ts';

/** A build may end so often for reasons of its own surroundings; what a user's build does wrong is never retried. */
export const MAX_ATTEMPTS = 3;
/** Attempts in all, those that the platform has ended among them. Not more than `MAX_ATTEMPT` of the reducer. */
export const MAX_ATTEMPTS_IN_ALL = 100;

/** Note: how many of the attempts before were ended by the platform itself, and so do not count. */
const EXCUSED = 'excused';

/** Who ended an attempt: `build` what ran in it or its surroundings, `platform` the platform or the host, `crash` a crash of the platform. */
export type EndedBy = 'build' | 'platform' | 'crash';

/** Exponential with jitter: many builds that failed together do not come back together. Milliseconds, at most a minute. */
export const backoff = (n: number, random: () => number = Math.random) =>
  Math.round(Math.min(60_000, 1_000 * 2 ** n) * (0.5 + random() / 2));

/**
 * Ends an attempt for a reason that is not the user's: another one is queued, or, after the last, the build fails.
 * Says so before it does so: a crash in between is found by the sweep, which repeats it. No task of the attempt may run.
 */
export async function retryOrFail(
  deps: { queue: JobQueue; bus: EventBus; clock: Clock },
  build: BuildRef,
  error: Failure,
  endedBy: EndedBy = 'build',
): Promise<void> {
  const id = buildJobId(build.deploymentId, build.target);
  const next = nextAttempt(await deps.queue.get(QUEUES.build, id), build.attempt, endedBy);
  if ('lastError' in next) {
    const last = failure(next.lastError, { attempts: build.attempt, crashes: next.crashes, reason: error.message });
    await publishBuildEvent(deps, build, { type: 'build.failed', error: { ...error, ...last } });
    await deps.queue.complete(QUEUES.build, id);
    return;
  }
  await publishBuildEvent(deps, build, { type: 'build.retrying', error });
  await deps.queue.retry(QUEUES.build, id, build.attempt, next.delayMs, next.notes);
}

type Next =
  | { readonly delayMs: number; readonly notes: Record<string, string> }
  | { readonly lastError: 'RETRIES_EXHAUSTED' | 'CRASHES_REPEATED'; readonly crashes: number };

function nextAttempt(job: Pick<Job, 'notes'> | null, attempt: number, endedBy: EndedBy): Next {
  const { notes } = job ?? { notes: {} };
  const excused = Number(notes[EXCUSED] ?? 0) + (endedBy === 'build' ? 0 : 1);
  // An orderly stop says nothing of who is to blame for the crashes before it; an end of its own clears the build.
  const crashes = endedBy === 'build' ? 0 : crashesOf({ notes }) + (endedBy === 'crash' ? 1 : 0);
  if (crashes >= MAX_BUILD_CRASHES) return { lastError: 'CRASHES_REPEATED', crashes };
  const charged = attempt - excused;
  if (charged >= MAX_ATTEMPTS || attempt >= MAX_ATTEMPTS_IN_ALL) return { lastError: 'RETRIES_EXHAUSTED', crashes };
  return {
    delayMs: endedBy === 'crash' ? crashBackoff(crashes) : backoff(charged),
    notes: { ...(excused > 0 && { [EXCUSED]: String(excused) }), ...(crashes > 0 && crashNote(crashes)) },
  };
}
