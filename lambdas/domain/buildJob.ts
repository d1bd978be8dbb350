import type { StoredNotes } from '../../contract/jobs.ts';
import { type NotedJob, readBuildNote, writeBuildNotes } from './jobNotes.ts';

/**
 * The states of a build's job between its queue's `waiting` and its end, and what leads from one to the next. Each
 * transition gives the notes that its caller stores; docs/architecture.md draws them.
 */

export interface StartedTask {
  readonly taskArn: string;
  /** Name or ARN of its cluster. */
  readonly cluster: string;
}

/**
 * The task of the job's attempt, as far as it is known. A note that a late worker wrote for an earlier attempt does not
 * count.
 */
export function taskOf(job: NotedJob): StartedTask | null {
  const [taskArn, cluster] = [readBuildNote(job, 'taskArn'), readBuildNote(job, 'cluster')];
  return taskArn && cluster && readBuildNote(job, 'taskOf') === job.attempt ? { taskArn, cluster } : null;
}

/** RunTask has answered with a task, or one was found. */
export const recordTask = ({ attempt }: NotedJob, { taskArn, cluster }: StartedTask): StoredNotes =>
  writeBuildNotes({ taskArn, cluster, taskOf: attempt });

/** `build.started` of the attempt was published. */
export const recordAnnouncement = ({ attempt }: NotedJob): StoredNotes => writeBuildNotes({ announced: attempt });
export const isAnnounced = (job: NotedJob): boolean => readBuildNote(job, 'announced') === job.attempt;

/** The attempt's task has stopped. */
export const markStopped = ({ attempt }: NotedJob): StoredNotes => writeBuildNotes({ stopped: attempt });
export const hasStopped = (job: NotedJob): boolean => readBuildNote(job, 'stopped') === job.attempt;

/** Number of the attempt's start, from 0: part of its task's token. */
export const startNumber = (job: NotedJob): number => readBuildNote(job, 'start') ?? 0;

/** The attempt is slowed, since so many per cent of its project's budget are spent; 0: it is not slowed any more. */
export const recordSlowed = (budgetPercent: number): StoredNotes => writeBuildNotes({ budgetPercent });
export const slowedAt = (job: NotedJob): number | undefined => readBuildNote(job, 'budgetPercent') || undefined;

/** Starts of the attempt that will have failed with this one. */
export const countFailedStart = (job: NotedJob): number => (readBuildNote(job, 'tries') ?? 0) + 1;

/** The start failed, and a task may have been started all the same. */
export const recordUnclearStart = (tries: number): StoredNotes => writeBuildNotes({ tries });

/** The start failed, and nothing runs. With `newToken` ECS treats the next start as a new one and not as a repeat. */
export const recordFailedStart = (job: NotedJob, tries: number, newToken: boolean): StoredNotes =>
  writeBuildNotes({ tries, start: startNumber(job) + (newToken ? 1 : 0) });

/** A task without a note was searched for after the deployment had ended. */
export const recordSearch = (): StoredNotes => writeBuildNotes({ looked: 1 });
export const wasSearched = (job: NotedJob): boolean => (readBuildNote(job, 'looked') ?? 0) > 0;

/** Sweeps in a row to which ECS will not have known the task, with this one. */
export const countMiss = (job: NotedJob): number => (readBuildNote(job, 'misses') ?? 0) + 1;
export const recordMiss = (misses: number): StoredNotes => writeBuildNotes({ misses });

/** When the build was first seen to have ended before its task (ms); undefined in any other attempt. */
export const firstSeenEnded = (job: NotedJob): number | undefined => timeInAttempt(job, 'ended');
export const recordEnded = ({ attempt }: NotedJob, at: number): StoredNotes =>
  writeBuildNotes({ ended: { attempt, at } });

/** When the task was first seen stopped without a final event (ms); undefined in any other attempt. */
export const firstSeenStopped = (job: NotedJob): number | undefined => timeInAttempt(job, 'seenStopped');
export const recordSeenStopped = ({ attempt }: NotedJob, at: number): StoredNotes =>
  writeBuildNotes({ seenStopped: { attempt, at } });

function timeInAttempt(job: NotedJob, note: 'ended' | 'seenStopped'): number | undefined {
  const seen = readBuildNote(job, note);
  return seen?.attempt === job.attempt ? seen.at : undefined;
}
