import type { Redis } from 'ioredis';
import type { QueueName } from '../../../../contract/names.ts';
import type { Job, JobQueue, NewJob } from '../../ports.ts';
import { withRedisRetry } from './available.ts';
import type { RedisPortOptions } from './options.ts';
import { ADD, COMPLETE, EXTEND, HAND_ON, LIST, NOTE, RELEASE, REMOVE, RETRY, TAKE } from './queueScripts.ts';
import { type ScriptRunner, scriptRunner } from './scripts.ts';

/** Longer than anything that could enqueue a job again: Kafka's retention, Lambda's retries, a replayed request. */
const REMEMBER_ENDED_MS = 90 * 24 * 3_600_000;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
/** Fields of a job's hash that are notes. */
const NOTE_FIELD = 'note:';

/** Prefix of every key of a queue. */
export const queueBase = (prefix: string, queue: QueueName) => `${prefix}:{queue-${queue}}:`;

/** `ARGUMENTS_OF_JOB` of them. */
export const jobArguments = ({ id, owner, projectId, data }: NewJob): string[] => [
  id,
  `${projectId}\0${owner}`,
  ...['owner', owner, 'projectId', projectId, 'data', JSON.stringify(data ?? null)],
];

const noteArguments = (notes: Readonly<Record<string, string>>) =>
  Object.entries(notes).flatMap(([name, value]) => [NOTE_FIELD + name, value]);

/**
 * Job queue as one Lua script per operation. Why not BullMQ: docs/decisions/adapters-queue.md.
 */
export function redisQueue(redis: Redis, { prefix, clock }: RedisPortOptions): JobQueue {
  const runners = new Map<QueueName, ScriptRunner>();
  const keyBase = (queue: QueueName) => queueBase(prefix, queue);
  const runnerFor = (queue: QueueName): ScriptRunner => {
    const known = runners.get(queue) ?? scriptRunner(redis, keyBase(queue), clock && (() => clock.now()));
    runners.set(queue, known);
    return known;
  };
  const hasChanged = async (reply: Promise<unknown>) => (await reply) === '1';

  return {
    enqueue: (queue, job) => hasChanged(runnerFor(queue).run(ADD, ...jobArguments(job))),

    async claim(queue, { leaseMs, limits }) {
      const most = [limits?.global, limits?.perOwner, limits?.perProject].map((n) => Math.min(n ?? NO_LIMIT, NO_LIMIT));
      const reply = (await runnerFor(queue).run(
        TAKE,
        leaseMs,
        ...most,
        JSON.stringify(limits?.owners ?? {}),
      )) as string;
      if (reply === '') return null;
      const [lapsed, ...hash] = JSON.parse(reply) as string[];
      return { ...fromHash(toHash(hash)), leaseExpired: lapsed === '1' };
    },

    heartbeat: (queue, id, leaseMs) => hasChanged(runnerFor(queue).run(EXTEND, id, leaseMs)),

    note: (queue, id, notes) => hasChanged(runnerFor(queue).run(NOTE, id, ...noteArguments(notes))),

    enqueueFollowing(queue, id, notes, to, jobs) {
      const fields = noteArguments(notes);
      return hasChanged(
        runnerFor(queue).run(HAND_ON, id, keyBase(to), fields.length, ...fields, ...jobs.flatMap(jobArguments)),
      );
    },

    ack: (queue, id) => hasChanged(runnerFor(queue).run(COMPLETE, id, REMEMBER_ENDED_MS)),

    retry: (queue, id, attempt, delayMs, notes = {}) =>
      hasChanged(runnerFor(queue).run(RETRY, id, attempt, delayMs, NOTE_FIELD, ...noteArguments(notes))),

    requeue: (queue, id, delayMs) => hasChanged(runnerFor(queue).run(RELEASE, id, delayMs)),

    async remove(queue, id) {
      const reply = (await runnerFor(queue).run(REMOVE, id, REMEMBER_ENDED_MS)) as '' | 'removed' | 'active';
      return reply || 'absent';
    },

    async get(queue, id) {
      const hash = await withRedisRetry(() => redis.hgetall(`${keyBase(queue)}job:${id}`));
      return hash.id === undefined ? null : fromHash(hash);
    },

    async list(queue, state) {
      const [now, ...hashes] = (await runnerFor(queue).run(LIST, state)) as [number, ...string[][]];
      const dueTime = (job: { runAt: string }) => Math.max(Number(job.runAt), now);
      return hashes
        .map(toHash)
        .sort((a, b) => dueTime(a) - dueTime(b) || Number(a.number) - Number(b.number))
        .map(fromHash);
    },
  };
}

type JobHash = Record<'id' | 'owner' | 'projectId' | 'data' | 'attempt' | 'addedAt' | 'runAt' | 'number', string> & {
  leaseUntil?: string;
} & Record<string, string>;

function toHash(flat: readonly string[]): JobHash {
  const hash: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) hash[flat[i]!] = flat[i + 1]!;
  return hash as JobHash;
}

function fromHash(flat: Record<string, string>): Job {
  const hash = flat as JobHash;
  const notes = Object.entries(hash)
    .filter(([field]) => field.startsWith(NOTE_FIELD))
    .map(([field, value]) => [field.slice(NOTE_FIELD.length), value] as const);
  return {
    id: hash.id,
    owner: hash.owner,
    projectId: hash.projectId,
    data: JSON.parse(hash.data),
    attempt: Number(hash.attempt),
    addedAt: Number(hash.addedAt),
    runAt: Number(hash.runAt),
    notes: Object.fromEntries(notes),
    ...(hash.leaseUntil === undefined
      ? { state: 'waiting' }
      : { state: 'active', leaseUntil: Number(hash.leaseUntil) }),
  };
}
