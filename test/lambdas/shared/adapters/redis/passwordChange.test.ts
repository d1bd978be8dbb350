import { Redis } from 'ioredis';
import { connectRedis } from '../../../../../lambdas/shared/adapters/redis/connect.ts';
import { redisPermissions } from '../../../../../lambdas/shared/adapters/redis/permissions.ts';
import { openRedisPorts } from '../../../../../lambdas/shared/adapters/redis/ports.ts';
import { REDIS_USERS } from '../../../../../lambdas/shared/redisUsers.ts';
import { describeWith } from '../../../../support/engines.ts';
import { type OwnRedis, ownRedis, ownRedisMissing } from '../../../../support/redis.ts';

/** As docs/operations.md has it: a second password, the functions that know it, then the first one goes. */
describeWith(ownRedisMissing, 'the password of a function is changed', () => {
  let engine: OwnRedis;
  let admin: Redis;
  beforeAll(async () => {
    engine = await ownRedis();
    admin = new Redis(engine.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await engine.stop();
  });

  test('who runs goes on, both are good for a while, and then the old one is worth nothing', async () => {
    const prefix = engine.prefix();
    const rules = redisPermissions(prefix, REDIS_USERS.api);
    const setUser = (...passwords: string[]) =>
      admin.call('ACL', 'SETUSER', 'api', 'reset', 'on', ...passwords.map((p) => `>${p}`), ...rules);
    const connect = (password: string) => {
      const redis = connectRedis({ url: engine.url.replace('//', `//api:${password}@`) });
      const ports = openRedisPorts(redis, { prefix });
      return {
        work: () => ports.store.claimProject('shop', 'ada'),
        async close() {
          await ports.close();
          redis.disconnect();
        },
      };
    };
    await setUser('old');
    const running = connect('old');
    expect(await running.work()).toBe(true);
    await setUser('old', 'new');
    const changed = connect('new');
    const cold = connect('old');
    expect(await Promise.all([running, changed, cold].map((c) => c.work()))).toEqual([true, true, true]);
    await setUser('new');
    expect(await changed.work()).toBe(true);
    await Promise.all([running.close(), changed.close(), cold.close()]);

    const login = (password: string) => {
      const redis = new Redis(engine.url, { lazyConnect: true });
      const told = redis.auth('api', password).catch((error: Error) => error.message);
      return told.finally(() => redis.disconnect());
    };
    expect(await login('old')).toMatch(/WRONGPASS/);
    expect(await login('new')).toBe('OK');
  });
});
