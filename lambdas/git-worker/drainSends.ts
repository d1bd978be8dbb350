import type { z } from 'zod';
import type { QueueName } from '../../contract/names.ts';
import type { Log } from '../shared/logger.ts';
import { withLogFields } from '../shared/logger.ts';
import type { ClaimedJob, Clock, JobQueue, Limits } from '../shared/ports.ts';

export type Sent =
  /** Who is told knows it, or need not know it, or refuses to: nothing is left to do. */
  | { readonly kind: 'done' }
  /** Who is told has to be left alone until then (ms). */
  | { readonly kind: 'wait'; readonly until: number };
export const DONE: Sent = { kind: 'done' };

/** For so long an outage of who is told is survived. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_PAUSE_MS = 900_000;
/** One who does not answer must not hold up what others are told. */
const AT_ONCE = 4;

export interface SendDeps {
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** From 0 to 1, for pauses. @default - `Math.random` */
  readonly random?: (() => number) | undefined;
  readonly log: Log;
}

/** A queue of things that others are told, over the network. */
export interface Sends<T> {
  readonly queue: QueueName;
  readonly schema: z.ZodType<T>;
  /** One thing, as logs say: `A report`. */
  readonly what: string;
  /** Longer than all calls of one job may take together (ms). */
  readonly leaseMs: number;
  readonly limits: Limits;
  /** Throws where it is to be tried again. */
  readonly send: (job: ClaimedJob, data: T) => Promise<Sent>;
  /** How long to wait after an error (ms). */
  readonly pauseAfter: (job: ClaimedJob, data: T, error: unknown) => Promise<number>;
  /** Notes that a day was not enough. */
  readonly noteGivenUp: (data: T, error: unknown) => Promise<void>;
}

/**
 * Sends what waits in the queue. Safe to run in several processes.
 * @returns True where no job was left that is due.
 */
export async function drainSends<T>(deps: SendDeps, of: Sends<T>, mayTakeMore: () => boolean): Promise<boolean> {
  const runs = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => drainOne(deps, of, mayTakeMore)));
  // Waits for all: an exception ends the invocation, and Lambda would freeze the process in the middle of a call.
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  return runs.every((run) => run.status === 'fulfilled' && run.value);
}

async function drainOne<T>(deps: SendDeps, of: Sends<T>, mayTakeMore: () => boolean): Promise<boolean> {
  const { queue, leaseMs, limits } = of;
  while (mayTakeMore()) {
    const job = await deps.queue.claim(queue, { leaseMs, limits });
    if (!job) return true;
    await withLogFields({ projectId: job.projectId }, () => runJob(deps, of, job));
  }
  return false;
}

async function runJob<T>(deps: SendDeps, of: Sends<T>, job: ClaimedJob): Promise<void> {
  const { queue, log, clock } = deps;
  const parsed = of.schema.safeParse(job.data);
  if (!parsed.success) {
    log.error('A job of the queue is none of its kind and was dropped', { jobId: job.id, error: parsed.error });
    await queue.ack(of.queue, job.id);
    return;
  }
  try {
    const sent = await of.send(job, parsed.data);
    if (sent.kind === 'wait') await queue.requeue(of.queue, job.id, withJitter(deps, sent.until - clock.now()));
    else await queue.ack(of.queue, job.id);
  } catch (error) {
    await tryAgain(deps, of, job, parsed.data, error);
  }
}

/** After a fault of who is told, or of ours: later, for up to a day. */
async function tryAgain<T>(deps: SendDeps, of: Sends<T>, job: ClaimedJob, data: T, error: unknown): Promise<void> {
  const { queue, log, clock } = deps;
  const fields = { jobId: job.id, try: job.attempt, error };
  if (clock.now() - job.addedAt >= MAX_AGE_MS) {
    log.error(`${of.what} was given up`, fields);
    await of.noteGivenUp(data, error);
    await queue.ack(of.queue, job.id);
    return;
  }
  log.warn(`${of.what} could not be sent and is tried again`, fields);
  await queue.retry(of.queue, job.id, job.attempt, await of.pauseAfter(job, data, error));
}

/** Exponential; at most a quarter of an hour. */
export const pauseOf = (deps: Pick<SendDeps, 'random'>, failures: number): number =>
  Math.round(Math.min(MAX_PAUSE_MS, 1_000 * 2 ** Math.min(failures, 20)) * (0.5 + drawRandom(deps) / 2));

/** Never earlier than asked for. */
export const withJitter = (deps: Pick<SendDeps, 'random'>, ms: number): number =>
  Math.round(Math.max(1_000, ms) * (1 + drawRandom(deps) / 5));

const drawRandom = ({ random = Math.random }: Pick<SendDeps, 'random'>) => random();
