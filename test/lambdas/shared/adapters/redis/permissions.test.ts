import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis } from '../../../../../lambdas/shared/adapters/redis/connect.ts';
import { type RedisPort, redisPermissions } from '../../../../../lambdas/shared/adapters/redis/permissions.ts';
import { openRedisPorts, type RedisPorts } from '../../../../../lambdas/shared/adapters/redis/ports.ts';
import type { LogEntry } from '../../../../../lambdas/shared/ports.ts';
import { canceled, request, requested } from '../../../../ports/deployments.ts';
import { callerNamed } from '../../../../support/callers.ts';
import { describeWith } from '../../../../support/engines.ts';
import { type OwnRedis, ownRedis, ownRedisMissing } from '../../../../support/redis.ts';

const Q = 'build';
const LEASE = { leaseMs: 10 };
const line: LogEntry = { at: '', target: 'frontend', stream: 'stdout', attempt: 1, n: 0, line: 'line' };

/** Everything that can be asked of each port, on every way through its scripts. */
const uses: Record<RedisPort, (ports: RedisPorts) => Promise<void>> = {
  async queue({ queue }) {
    for (const id of ['a', 'b', 'c']) await queue.enqueue(Q, { id, owner: 'ann', projectId: 'shop', data: 0 });
    await queue.claim(Q, LEASE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await queue.claim(Q, LEASE))?.id).toBe('a');
    await queue.heartbeat(Q, 'a', 60_000);
    await queue.note(Q, 'a', { note: 'x' });
    await queue.enqueueFollowing(Q, 'a', { note: 'y' }, 'clone', [
      { id: 'a', owner: 'ann', projectId: 'shop', data: 0 },
    ]);
    expect(await queue.retry(Q, 'a', 1, 5)).toBe(true);
    await queue.claim(Q, LEASE);
    await queue.requeue(Q, 'b', 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await queue.claim(Q, LEASE);
    await queue.ack(Q, 'a');
    expect(await queue.remove(Q, 'c')).toBe('removed');
    expect(await queue.get(Q, 'b')).not.toBeNull();
    expect([...(await queue.list(Q, 'active')), ...(await queue.list(Q, 'waiting'))]).toHaveLength(1);
  },
  async store({ store }) {
    const idempotency = { key: 'k', fingerprint: 'f' };
    await store.create({ requested: requested('d'), request: request(), idempotency });
    await store.create({ requested: requested('e'), request: request(), idempotency });
    await store.fold('d', [canceled('d')]);
    await store.fold('f', [requested('f')]);
    expect((await store.list({ owner: 'ann', limit: 1 })).items).toHaveLength(1);
    expect((await store.list({ owner: 'ann', limit: 1, cursor: 'f' })).items).toHaveLength(1);
    expect(await store.get('d')).not.toBeNull();
    expect(await store.unfinished()).toEqual(['f']);
    expect(await store.projectOwner('shop')).toBe('ann');
    await store.remove('f');
    expect(await store.claimProject('blog', 'ann')).toBe(true);
    await store.probe();
    await store.releaseProject('blog', 'ann');
    expect(await store.claims()).toEqual([{ projectId: 'shop', owner: 'ann' }]);
  },
  async 'store:read'({ store }) {
    expect(await store.get('nobody’s')).toBeNull();
    await store.list({ owner: 'ann', limit: 1 });
    await store.list({ owner: 'ann', limit: 1, cursor: 'f' });
    expect(await store.projectOwner('nobody’s')).toBeNull();
  },
  async logs({ logs }) {
    await logs.append('d', [line, { ...line, n: 2 }, { ...line, n: 1 }]);
    expect(await logs.count('d', 'frontend', 1)).toBe(3);
    const abort = new AbortController();
    for await (const lines of logs.follow('d', 0, abort.signal)) {
      expect(lines).toHaveLength(3);
      abort.abort();
    }
    await logs.wake('d');
  },
  async tickets({ tickets }) {
    expect(await tickets.redeem((await tickets.issue(callerNamed('ann'))).ticket)).toEqual(callerNamed('ann'));
  },
  async limits({ rateLimit }) {
    expect((await rateLimit.take('ann', 1, 60_000)).taken).toBe(true);
    expect((await rateLimit.take('ann', 1, 60_000)).taken).toBe(false);
    expect(await rateLimit.count('ann', 60_000)).toBe(1);
  },
  async 'logs:read'({ logs }) {
    expect(await logs.read('nobody’s', 0, 10)).toEqual([]);
    expect(await logs.count('nobody’s', 'frontend', 1)).toBe(0);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    for await (const lines of logs.follow('nobody’s', 0, abort.signal)) expect(lines).toEqual([]);
  },
  async subscriptions({ subscriptions }) {
    await subscriptions.connect('c', callerNamed('ann'));
    await subscriptions.subscribe('c', 'project:shop');
    expect(await subscriptions.callerOf('c')).toEqual(callerNamed('ann'));
    expect(await subscriptions.subscribers(['project:shop'])).toEqual(['c']);
    await subscriptions.disconnect('c');
  },
};
/** By Redis itself, or inside a script. */
const REFUSED = /^NOPERM|can't run this command|can't access/;
const PORTS = Object.keys(uses) as RedisPort[];

describeWith(ownRedisMissing, 'permissions in Redis', () => {
  let engine: OwnRedis;
  let admin: Redis;
  const clients: Redis[] = [];
  beforeAll(async () => {
    engine = await ownRedis();
    admin = connectRedis({ url: engine.url });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  afterAll(async () => {
    admin.disconnect();
    await engine.stop();
  });

  /** The ports as a user with these rules has them. */
  async function as(prefix: string, rules: readonly string[]) {
    const [user, password] = [`u-${randomUUID()}`, randomUUID()];
    await admin.acl('SETUSER', user, 'reset', 'on', `>${password}`, ...rules);
    const url = new URL(engine.url);
    url.username = user;
    url.password = password;
    const client = connectRedis({ url: url.href });
    clients.push(client);
    const ports = openRedisPorts(client, { prefix });
    return { ports, client };
  }

  test.each(PORTS)('%s: works with its permissions, and with no other port’s', async (port) => {
    const prefix = engine.prefix();
    const { ports } = await as(prefix, redisPermissions(prefix, [port]));
    await uses[port](ports);
    for (const other of PORTS.filter((p) => p !== port && p !== `${port}:read`)) {
      await expect(uses[other](ports)).rejects.toThrow(REFUSED);
    }
    await ports.close();
  });

  test.each(PORTS)('%s: needs every one of them', async (port) => {
    const rules = redisPermissions('p', [port]);
    // What ioredis asks for while it connects is refused without harm, and FLUSHALL of scripts makes EVAL needed.
    const harmless = ['+info', '+select', '+unsubscribe'];
    for (const rule of rules.filter((r) => r.startsWith('+') && !harmless.includes(r))) {
      await admin.flushall();
      await admin.script('FLUSH');
      const { ports } = await as(
        'p',
        rules.filter((r) => r !== rule),
      );
      const result = await uses[port](ports).then(
        () => `works without ${rule}`,
        (e: Error) => e.message,
      );
      expect(result).toMatch(REFUSED);
      await ports.close();
    }
  });

  test.each<[RedisPort[]]>([[['store:read', 'logs:read']]])(
    '%p: reads what others wrote, and changes nothing',
    async (own) => {
      const prefix = engine.prefix();
      const { ports: writer } = await as(prefix, redisPermissions(prefix, ['queue', 'store', 'logs']));
      await writer.store.create({ requested: requested('d'), request: request() });
      await writer.logs.append('d', [line]);
      const { ports, client } = await as(prefix, redisPermissions(prefix, own));
      expect((await ports.store.get('d'))?.record.deploymentId).toBe('d');
      expect((await ports.store.list({ owner: 'ann', limit: 5 })).items).toHaveLength(1);
      expect(await ports.logs.read('d', 0, 10)).toHaveLength(1);
      await expect(ports.store.fold('d', [canceled('d')])).rejects.toThrow(REFUSED);
      await expect(ports.logs.append('d', [line])).rejects.toThrow(REFUSED);
      await expect(ports.logs.wake('d')).rejects.toThrow(REFUSED);
      await expect(client.set(`${prefix}:{deployments}:deployment:d`, 'x')).rejects.toThrow(REFUSED);
      const script = `return redis.call('DEL', KEYS[1])`;
      await expect(client.eval(script, 1, `${prefix}:{deployments}:deployment:d`)).rejects.toThrow(REFUSED);
      expect(await writer.store.get('d')).not.toBeNull();
    },
  );

  test('who has the store and the queue can create a deployment with its first job; the store alone does not do', async () => {
    const prefix = engine.prefix();
    const job = { queue: 'clone', id: 'd', owner: 'ann', projectId: 'shop', data: 0 } as const;
    const create = async (...ports: RedisPort[]) =>
      (await as(prefix, redisPermissions(prefix, ports))).ports.store.create({
        requested: requested('d'),
        request: request(),
        job,
      });
    await expect(create('store')).rejects.toThrow(REFUSED);
    expect(await create('queue', 'store')).toEqual({ kind: 'created' });
  });

  test('nobody may look at other keys, or change the server', async () => {
    const prefix = engine.prefix();
    const { client } = await as(prefix, redisPermissions(prefix, PORTS));
    await expect(client.get('other')).rejects.toThrow(/NOPERM/);
    await expect(client.flushall()).rejects.toThrow(/NOPERM/);
    await expect(client.config('GET', '*')).rejects.toThrow(/NOPERM/);
    await expect(client.keys('*')).rejects.toThrow(/NOPERM/);
  });
});
