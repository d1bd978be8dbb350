import type { Redis } from 'ioredis';
import type { LogLine } from '../../../../contract/events.ts';
import type { LogChannel, LogEntry } from '../../ports.ts';
import { followLines } from '../following.ts';
import { withRedisRetry } from './available.ts';
import { lastWords, lineBytes, MAX_LOG_BYTES } from './logCap.ts';
import { APPEND } from './logScripts.ts';
import type { RedisPortOptions } from './options.ts';
import { scriptRunner } from './scripts.ts';
import { Wakes } from './wakes.ts';

/** Lines live this long after the last one; by then the archive in S3 has them. */
const LIFETIME_MS = 7 * 24 * 3_600_000;
/** Lines per script: keeps each run of Redis short. */
const CHUNK = 200;

export interface RedisLogs extends LogChannel {
  close(): void;
}

/** Log lines in a stream per deployment, with a pub/sub message for each append. */
export function redisLogs(redis: Redis, options: RedisPortOptions & { maxBytes?: number }): RedisLogs {
  const { prefix, maxBytes = MAX_LOG_BYTES } = options;
  const keyBase = (deploymentId: string) => `${prefix}:{log-${deploymentId}}:`;
  const channelOf = (deploymentId: string) => `${prefix}:log:${deploymentId}`;
  const wakes = new Wakes(redis, channelOf);
  const reads = new Map<string, Promise<LogLine[]>>();

  async function readLines(deploymentId: string, after: number, limit: number): Promise<LogLine[]> {
    const from = `${Math.max(after, 0) + 1}-0`;
    const entries = await withRedisRetry(() =>
      redis.xrange(`${keyBase(deploymentId)}lines`, from, '+', 'COUNT', Math.max(limit, 1)),
    );
    return entries.slice(0, limit).map(([id, fields]) => ({ seq: Number.parseInt(id, 10), ...JSON.parse(fields[1]!) }));
  }

  /** Followers at the same place, woken by the same message, share one read. */
  function sharedRead(deploymentId: string, after: number, limit: number): Promise<LogLine[]> {
    const key = `${deploymentId}/${after}/${limit}/${wakes.messages}`;
    const known = reads.get(key) ?? readLines(deploymentId, after, limit).finally(() => reads.delete(key));
    reads.set(key, known);
    return known;
  }

  return {
    async append(deploymentId, entries) {
      const scripts = scriptRunner(redis, keyBase(deploymentId));
      for (let i = 0; i < entries.length; i += CHUNK) {
        const chunk = entries.slice(i, i + CHUNK);
        const attempts = [...new Set(chunk.map(attemptOf))];
        const lines = chunk.flatMap((e) => [attemptOf(e), e.n, lineBytes(e), formatEntry(e)]);
        const words = formatEntry(lastWords(chunk[0]!, maxBytes));
        const limits = [channelOf(deploymentId), LIFETIME_MS, maxBytes, words];
        await scripts.run(APPEND, ...limits, attempts.length, ...attempts, ...lines);
      }
    },

    read: readLines,

    async *follow(deploymentId, after, signal) {
      const bell = await wakes.join(deploymentId);
      try {
        yield* followLines((from, limit) => sharedRead(deploymentId, from, limit), after, bell, signal);
      } finally {
        await wakes.leave(deploymentId, bell);
      }
    },

    async wake(deploymentId) {
      await withRedisRetry(() => redis.publish(channelOf(deploymentId), 'wake'));
    },

    async count(deploymentId, target, attempt) {
      const name = `${target}:${attempt}`;
      return withRedisRetry(async () => {
        const [next, ahead] = await Promise.all([
          redis.hget(`${keyBase(deploymentId)}meta`, `next:${name}`),
          redis.scard(`${keyBase(deploymentId)}ahead:${name}`),
        ]);
        return Number(next ?? 0) + ahead;
      });
    },

    async remove(deploymentId) {
      // A key that has expired is gone. The sets of numbers beyond a gap hold no text, and expire by themselves.
      for (const name of ['lines', 'meta'])
        await withRedisRetry(() => redis.pexpire(`${keyBase(deploymentId)}${name}`, 0));
    },

    close: () => wakes.close(),
  };
}

const attemptOf = (e: LogEntry) => `${e.target}:${e.attempt}`;

const formatEntry = ({ at, target, stream, line }: LogEntry) => JSON.stringify({ at, target, stream, line });
