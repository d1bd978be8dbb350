import type { Redis } from 'ioredis';
import type { RateLimit } from '../../ports.ts';
import { countWithin, waitForRoom, windowAt } from '../../slidingWindow.ts';
import { withRedisRetry } from './available.ts';
import type { RedisPortOptions } from './options.ts';

/** `{limits}:{window}:{number}:{key}`: a counter for each fixed window, kept until it is no longer the one before. */
export function redisRateLimit(redis: Redis, { prefix, clock = { now: Date.now } }: RedisPortOptions): RateLimit {
  const keyOf = (key: string, windowMs: number, index: number) => `${prefix}:{limits}:${windowMs}:${index}:${key}`;
  return {
    async take(key, limit, windowMs) {
      const { index, elapsed } = windowAt(clock.now(), windowMs);
      const counter = keyOf(key, windowMs, index);
      const [counted, , before] = await withRedisRetry(() =>
        Promise.all([
          redis.incr(counter),
          redis.pexpire(counter, 2 * windowMs),
          redis.get(keyOf(key, windowMs, index - 1)),
        ]),
      );
      const counts = { before: Number(before ?? 0), current: counted - 1 };
      if (countWithin(counts, elapsed, windowMs) + 1 <= limit) return { taken: true, waitMs: 0 };
      await withRedisRetry(() => redis.decr(counter));
      return { taken: false, waitMs: waitForRoom(counts, limit, elapsed, windowMs) };
    },
    async count(key, windowMs) {
      const { index, elapsed } = windowAt(clock.now(), windowMs);
      const [current, before] = await withRedisRetry(() =>
        Promise.all([redis.get(keyOf(key, windowMs, index)), redis.get(keyOf(key, windowMs, index - 1))]),
      );
      return Math.ceil(countWithin({ before: Number(before ?? 0), current: Number(current ?? 0) }, elapsed, windowMs));
    },
  };
}
