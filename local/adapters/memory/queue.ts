import { QUEUES, type QueueName } from '../../../contract/names.ts';
import { runsAlone } from '../../../lambdas/domain/crashes.ts';
import type { Clock, Job, JobQueue, Limits, NewJob } from '../../../lambdas/shared/ports.ts';
import type { Journal } from './journal.ts';
import type { Table } from './tables.ts';

/** A job is active where it has a lease. */
type Live = Omit<Job, 'state'> & {
  /** Waiting: how much later than when it began to wait it is due (ms). */
  readonly delayMs?: number;
};

/** The longest delay of a job, used for jobs without `delayMs` in journals of the earlier version. */
const MAX_DELAY_MS = 60_000;

const NO_LIMITS: Limits = {
  global: Number.POSITIVE_INFINITY,
  perOwner: Number.POSITIVE_INFINITY,
  perProject: Number.POSITIVE_INFINITY,
};

export interface MemoryQueue extends JobQueue {
  /** Ends every lease: its holder was in a process that has ended, since only one process uses a journal. */
  expireLeases(): Promise<void>;
}

/** Adds a job to the tables; the caller commits. False where it was added before. */
export function addJob(journal: Journal, clock: Clock, queue: QueueName, job: NewJob): boolean {
  const live = journal.table<Live>(`queue.${queue}`);
  if (live.has(job.id) || journal.table(`queue.${queue}.ended`).has(job.id)) return false;
  const now = clock.now();
  const { id, owner, projectId } = job;
  const data = structuredClone(job.data);
  live.set(id, { id, owner, projectId, data, attempt: 1, addedAt: now, runAt: now, notes: {} });
  return true;
}

/**
 * Job queue in the journal's tables. A table keeps the order of addition, so a job that comes back keeps its place.
 * @param clock One that never goes back. The system's clock may have been set back since the journal was written; then
 *   waiting
 *   jobs are due after their delay at the latest.
 */
export function memoryQueue(journal: Journal, clock: Clock): MemoryQueue {
  const liveJobs = (queue: QueueName): Table<Live> => journal.table(`queue.${queue}`);
  const endedJobs = (queue: QueueName): Table<number> => journal.table(`queue.${queue}.ended`);

  for (const queue of Object.values(QUEUES))
    for (const job of liveJobs(queue).values()) {
      const latest = clock.now() + (job.delayMs ?? (job.runAt > job.addedAt ? MAX_DELAY_MS : 0));
      if (job.leaseUntil === undefined && job.runAt > latest) liveJobs(queue).set(job.id, { ...job, runAt: latest });
    }

  const isLeased = (job: Live) => job.leaseUntil !== undefined && job.leaseUntil > clock.now();

  /** Writes the changed job; false where there was none to change. */
  async function changeJob(queue: QueueName, id: string, next: (job: Live) => Live | undefined): Promise<boolean> {
    const job = liveJobs(queue).get(id);
    const changed = job && next(job);
    if (!changed) return false;
    liveJobs(queue).set(id, changed);
    await journal.commit();
    return true;
  }

  async function endJob(queue: QueueName, id: string): Promise<boolean> {
    if (!liveJobs(queue).delete(id)) return false;
    endedJobs(queue).set(id, clock.now());
    await journal.commit();
    return true;
  }

  return {
    async enqueue(queue, job) {
      const added = addJob(journal, clock, queue, job);
      if (added) await journal.commit();
      return added;
    },

    async claim(queue, { leaseMs, limits = NO_LIMITS }) {
      const jobs = liveJobs(queue);
      const running = [...jobs.values()].filter(isLeased);
      if (running.length >= limits.global || running.some(runsAlone)) return null;
      const owners = countBy(running, (j) => j.owner);
      const projects = countBy(running, (j) => j.projectId);
      const now = clock.now();
      const lapsed = [...jobs.values()].filter((job) => job.leaseUntil !== undefined && !isLeased(job));
      lapsed.sort((a, b) => (a.leaseUntil ?? 0) - (b.leaseUntil ?? 0) || (a.id < b.id ? -1 : 1));
      for (const job of chainAll(lapsed, jobs.values())) {
        if (isLeased(job) || (job.leaseUntil === undefined && job.runAt > now)) continue;
        if ((owners.get(job.owner) ?? 0) >= limitOfOwner(limits, job.owner)) continue;
        if ((projects.get(job.projectId) ?? 0) >= limits.perProject) continue;
        if (running.length > 0 && runsAlone(job)) return null;
        const taken = { ...job, leaseUntil: now + leaseMs };
        jobs.set(job.id, taken);
        await journal.commit();
        return { ...toJob(taken), leaseExpired: job.leaseUntil !== undefined };
      }
      return null;
    },

    heartbeat: (queue, id, leaseMs) =>
      changeJob(queue, id, (job) =>
        job.leaseUntil === undefined ? undefined : { ...job, leaseUntil: clock.now() + leaseMs },
      ),

    note: (queue, id, notes) => changeJob(queue, id, (job) => ({ ...job, notes: { ...job.notes, ...notes } })),

    async enqueueFollowing(queue, id, notes, to, jobs) {
      const job = liveJobs(queue).get(id);
      if (!job) return false;
      liveJobs(queue).set(id, { ...job, notes: { ...job.notes, ...notes } });
      for (const next of jobs) addJob(journal, clock, to, next);
      await journal.commit();
      return true;
    },

    ack: endJob,

    retry: (queue, id, attempt, delayMs, notes = {}) =>
      changeJob(queue, id, (job) => {
        if (job.leaseUntil === undefined || job.attempt !== attempt) return undefined;
        return { ...toWaiting(job, clock.now(), delayMs), attempt: attempt + 1, notes: { ...notes } };
      }),

    requeue: (queue, id, delayMs) =>
      changeJob(queue, id, (job) => (job.leaseUntil === undefined ? undefined : toWaiting(job, clock.now(), delayMs))),

    async remove(queue, id) {
      const job = liveJobs(queue).get(id);
      if (!job) return 'absent';
      if (job.leaseUntil !== undefined) return 'active';
      await endJob(queue, id);
      return 'removed';
    },

    async get(queue, id) {
      const job = liveJobs(queue).get(id);
      return job ? toJob(job) : null;
    },

    async list(queue, state) {
      const jobs = [...liveJobs(queue).values()].map(toJob).filter((job) => job.state === state);
      if (state === 'active') return jobs;
      const now = clock.now();
      // Due jobs are ordered by age, others by their time; sorting is stable, so age decides between equal ones.
      return jobs.sort((a, b) => Math.max(a.runAt, now) - Math.max(b.runAt, now));
    },

    async expireLeases() {
      const now = clock.now();
      for (const queue of Object.values(QUEUES))
        for (const job of liveJobs(queue).values())
          if (isLeased(job)) liveJobs(queue).set(job.id, { ...job, leaseUntil: now });
      await journal.commit();
    },
  };
}

function toWaiting(job: Live, now: number, delayMs: number): Live {
  const { leaseUntil: _, ...rest } = job;
  return { ...rest, runAt: now + delayMs, delayMs };
}

const toJob = ({ delayMs: _, ...job }: Live): Job => ({
  ...structuredClone(job),
  state: job.leaseUntil === undefined ? 'waiting' : 'active',
});

function* chainAll<T>(...parts: Iterable<T>[]): Iterable<T> {
  for (const part of parts) yield* part;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

const limitOfOwner = ({ owners = {}, perOwner }: Limits, owner: string): number =>
  (Object.hasOwn(owners, owner) ? owners[owner] : undefined) ?? perOwner;
