import { connectRedis } from '../../../../../lambdas/shared/adapters/redis/connect.ts';
import { MAX_AHEAD } from '../../../../../lambdas/shared/adapters/redis/logScripts.ts';
import { openRedisPorts } from '../../../../../lambdas/shared/adapters/redis/ports.ts';
import type { LogEntry } from '../../../../../lambdas/shared/ports.ts';
import { describeWith } from '../../../../support/engines.ts';
import { anyRedis, type RedisEngine, redisMissing } from '../../../../support/redis.ts';

const entry = (n: number): LogEntry => ({
  at: '2026-01-01T00:00:00.000Z',
  target: 'frontend',
  stream: 'stdout',
  line: '',
  attempt: 1,
  n,
});

describeWith(redisMissing, 'Redis', () => {
  let engine: RedisEngine;
  beforeAll(async () => {
    engine = await anyRedis();
  });
  afterAll(() => engine.stop());

  it('a build that numbers its lines as it likes fills no memory, and its log goes on', async () => {
    const redis = connectRedis({ url: engine.url, onError: () => undefined });
    const prefix = engine.prefix();
    const { logs, close } = openRedisPorts(redis, { prefix });
    const ahead = `${prefix}:{log-a}:ahead:frontend:1`;
    // Line 0 is never sent: in order, each of the others would be remembered until it comes.
    let most = 0;
    const step = 5_000;
    for (let n = 1; n <= MAX_AHEAD * 2; n += step) {
      await logs.append(
        'a',
        Array.from({ length: step }, (_, i) => entry(n + i)),
      );
      most = Math.max(most, await redis.scard(ahead));
    }
    expect(most).toBeLessThanOrEqual(MAX_AHEAD);
    // What comes after it is told once, and in order again: nothing is remembered of it.
    const from = MAX_AHEAD * 2 + 1;
    for (const _ of [1, 2]) await logs.append('a', [entry(from), entry(from + 1)]);
    expect(await logs.read('a', MAX_AHEAD * 2, 10)).toHaveLength(2);
    expect(await redis.scard(ahead)).toBe(0);
    await close();
    redis.disconnect();
  }, 60_000);
});
