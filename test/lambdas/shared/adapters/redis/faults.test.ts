import type { Redis } from 'ioredis';
import { connectRedis } from '../../../../../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts, type RedisPorts } from '../../../../../lambdas/shared/adapters/redis/ports.ts';
import type { LogEntry } from '../../../../../lambdas/shared/ports.ts';
import { analyzing, canceled, request, requested } from '../../../../ports/deployments.ts';
import { callerNamed } from '../../../../support/callers.ts';
import { describeWith } from '../../../../support/engines.ts';
import { type OwnRedis, ownRedis, ownRedisMissing } from '../../../../support/redis.ts';
import { tcpProxy } from '../../../../support/tcpProxy.ts';

const Q = 'build';
const LEASE = { leaseMs: 60_000 };
const job = (id: string) => ({ id, owner: 'ann', projectId: 'shop', data: { id } });
const line = (n: number): LogEntry => ({
  at: '2026-01-01T00:00:00.000Z',
  target: 'frontend',
  stream: 'stdout',
  attempt: 1,
  n,
  line: `line ${n}`,
});

describeWith(ownRedisMissing, 'Redis in trouble', () => {
  let engine: OwnRedis;
  let admin: Redis;
  const cleanUp: (() => unknown)[] = [];
  beforeAll(async () => {
    engine = await ownRedis();
    admin = connectRedis({ url: engine.url });
  });
  afterAll(async () => {
    admin.disconnect();
    await engine.stop();
  });
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).reverse()) await clean();
  });

  function open(url = engine.url, prefix = engine.prefix()): RedisPorts & { prefix: string } {
    const client = connectRedis({ url });
    const ports = openRedisPorts(client, { prefix });
    cleanUp.push(async () => {
      await ports.close();
      client.disconnect();
    });
    return { ...ports, prefix };
  }
  async function until(what: () => boolean | Promise<boolean>) {
    const end = Date.now() + 10_000;
    while (!(await what())) {
      if (Date.now() > end) throw new Error('It did not come to pass.');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  test('killed and started again in the middle: nothing acknowledged is lost, nothing is done twice', async () => {
    const { queue } = open();
    const added: string[] = [];
    const taken: string[] = [];
    const work = Array.from({ length: 300 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 3));
      if (await queue.enqueue(Q, job(`j${i}`))) added.push(`j${i}`);
      const got = await queue.claim(Q, LEASE);
      if (got) taken.push(got.id);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await engine.restart();
    await Promise.all(work);
    expect(added).toHaveLength(300);
    expect(new Set(taken).size).toBe(taken.length);
    const left = [...(await queue.list(Q, 'waiting')), ...(await queue.list(Q, 'active'))].map((j) => j.id);
    expect(left.sort()).toEqual(added.sort());
    expect((await queue.list(Q, 'active')).map((j) => j.id).sort()).toEqual(taken.sort());
  });

  test('away for good: UNAVAILABLE, soon, with a sentence that names no secret', async () => {
    const own = await ownRedis();
    const ports = open(own.url);
    await ports.queue.enqueue(Q, job('a'));
    await own.stop();
    const started = Date.now();
    const calls = [
      ports.queue.claim(Q, LEASE),
      ports.queue.get(Q, 'a'),
      ports.store.get('d'),
      ports.store.create({ requested: requested('d'), request: request() }),
      ports.logs.append('d', [line(0)]),
      ports.subscriptions.subscribers(['project:shop']),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
      expect(String((call as PromiseRejectedResult).reason)).not.toContain('127.0.0.1');
    }
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test('out of memory: UNAVAILABLE and nothing half done; what frees memory goes on', async () => {
    const { queue, store, logs, subscriptions } = open();
    for (const id of ['old', 'tried', 'given back', 'waiting']) await queue.enqueue(Q, job(id));
    for (let i = 0; i < 3; i++) await queue.claim(Q, LEASE);
    await logs.append('d', [line(0)]);
    await admin.config('SET', 'maxmemory', '1');
    cleanUp.push(() => admin.config('SET', 'maxmemory', '0'));
    const reason = { code: 'UNAVAILABLE', details: { reason: 'Redis is out of memory' } };
    const create = { requested: requested('d'), request: request(), idempotency: { key: 'k', fingerprint: 'f' } };
    await Promise.all([
      expect(queue.enqueue(Q, job('new'))).rejects.toMatchObject(reason),
      expect(store.create(create)).rejects.toMatchObject(reason),
      expect(store.probe()).rejects.toMatchObject(reason),
      expect(logs.append('d', [line(0), line(1)])).rejects.toMatchObject(reason),
      expect(queue.claim(Q, LEASE)).rejects.toMatchObject(reason),
      expect(subscriptions.connect('c', callerNamed('ann'))).rejects.toMatchObject(reason),
    ]);
    expect(await queue.heartbeat(Q, 'old', 1_000)).toBe(true);
    expect(await queue.ack(Q, 'old')).toBe(true);
    expect(await queue.retry(Q, 'tried', 1, 0)).toBe(true);
    expect(await queue.requeue(Q, 'given back', 0)).toBe(true);
    expect(await queue.remove(Q, 'waiting')).toBe('removed');
    expect((await logs.read('d', 0, 9)).map((l) => l.seq)).toEqual([1]);
    expect([await queue.get(Q, 'new'), await store.get('d'), await store.projectOwner('shop')]).toEqual([
      null,
      null,
      null,
    ]);
    await admin.config('SET', 'maxmemory', '0');
    expect(await queue.enqueue(Q, job('new'))).toBe(true);
    expect(await store.create({ ...create, requested: requested('e') })).toEqual({ kind: 'created' });
    await logs.append('d', [line(0), line(1)]);
    expect((await logs.read('d', 0, 9)).map((l) => l.seq)).toEqual([1, 2]);
  });

  test('READONLY during a failover is waited out', async () => {
    const { queue } = open();
    await queue.enqueue(Q, job('a'));
    await admin.replicaof('127.0.0.1', '1');
    cleanUp.push(() => admin.replicaof('NO', 'ONE'));
    const taking = queue.claim(Q, LEASE);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await admin.replicaof('NO', 'ONE');
    expect((await taking)?.id).toBe('a');
  });

  test('READONLY that stays is UNAVAILABLE', async () => {
    const { queue } = open();
    await admin.replicaof('127.0.0.1', '1');
    cleanUp.push(() => admin.replicaof('NO', 'ONE'));
    await expect(queue.enqueue(Q, job('a'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { reason: 'Redis is failing over' },
    });
  });

  describe('a reply that gets lost: the call is sent again, done once, and answered as it was', () => {
    let ports: RedisPorts;
    let proxy: Awaited<ReturnType<typeof tcpProxy>>;
    beforeEach(async () => {
      proxy = await tcpProxy(engine.url);
      cleanUp.push(() => proxy.close());
      ports = open(proxy.url);
      await ports.queue.get(Q, 'connect');
    });
    const lost = <T>(call: () => Promise<T>): Promise<T> => {
      proxy.loseReplyTo(/eval/i);
      return call();
    };

    test('of the queue', async () => {
      const { queue } = ports;
      expect(await lost(() => queue.enqueue(Q, job('a')))).toBe(true);
      await queue.enqueue(Q, job('b'));
      expect((await lost(() => queue.claim(Q, LEASE)))?.id).toBe('a');
      expect((await queue.list(Q, 'waiting')).map((j) => j.id)).toEqual(['b']);
      expect(await lost(() => queue.retry(Q, 'a', 1, 0))).toBe(true);
      expect(await queue.get(Q, 'a')).toMatchObject({ attempt: 2 });
      expect(await lost(() => queue.remove(Q, 'a'))).toBe('removed');
      await queue.claim(Q, LEASE);
      expect(await lost(() => queue.requeue(Q, 'b', 0))).toBe(true);
      expect(await lost(() => queue.ack(Q, 'b'))).toBe(true);
    });

    test('of the store', async () => {
      const { store } = ports;
      const create = { requested: requested('d'), request: request(), idempotency: { key: 'k', fingerprint: 'f' } };
      expect(await lost(() => store.create(create))).toEqual({ kind: 'created' });
      const folded = await lost(() => store.fold('d', [analyzing('d'), canceled('d')]));
      expect(folded).toMatchObject({ before: { status: 'queued' }, after: { status: 'canceled' } });
    });

    test('of the log', async () => {
      await lost(() => ports.logs.append('d', [line(0), line(1)]));
      expect((await ports.logs.read('d', 0, 9)).map((l) => l.line)).toEqual(['line 0', 'line 1']);
    });
  });

  test('a follower sees every line once through a restart', async () => {
    const { logs } = open();
    const abort = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const lines of logs.follow('d', 0, abort.signal)) seen.push(...lines.map((l) => l.seq));
    })();
    for (let n = 0; n < 40; n++) {
      if (n === 20) await engine.restart();
      await logs.append('d', [line(n)]);
    }
    await until(() => seen.length === 40);
    abort.abort();
    await following;
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  test('a log that reaches its limit says so, and goes on counting', async () => {
    const client = connectRedis({ url: engine.url });
    cleanUp.push(() => client.disconnect());
    const { redisLogs } = await import('../../../../../lambdas/shared/adapters/redis/logs.ts');
    const logs = redisLogs(client, { prefix: engine.prefix(), maxBytes: 100 });
    for (let n = 0; n < 40; n += 10)
      await logs.append(
        'd',
        Array.from({ length: 10 }, (_, i) => line(n + i)),
      );
    const lines = await logs.read('d', 0, 100);
    expect(lines.length).toBeLessThan(20);
    expect(lines.slice(0, -1).map((l) => l.line)).toEqual(lines.slice(0, -1).map((_, i) => `line ${i}`));
    expect(lines.at(-1)).toMatchObject({
      stream: 'system',
      line: 'The log has reached 100 bytes; the rest of it is not kept.',
    });
    expect(await logs.count('d', 'frontend', 1)).toBe(40);
  });

  test('nothing is kept for ever but what has to be', async () => {
    const { queue, store, logs, subscriptions, prefix } = open();
    await queue.enqueue(Q, job('a'));
    await queue.claim(Q, LEASE);
    await queue.ack(Q, 'a');
    await store.create({ requested: requested('d'), request: request(), idempotency: { key: 'k', fingerprint: 'f' } });
    await store.fold('d', [canceled('d')]);
    await logs.append('d', [line(0), line(5)]);
    await subscriptions.connect('c', callerNamed('ann'));
    await subscriptions.subscribe('c', 'project:shop');
    const lasting: string[] = [];
    for (const key of await admin.keys(`${prefix}:*`)) {
      if ((await admin.pttl(key)) === -1) lasting.push(key.slice(prefix.length + 1));
    }
    expect(lasting.sort()).toEqual([
      '{deployments}:index:ann',
      '{deployments}:index:ann\0shop',
      '{deployments}:projects',
      '{queue-build}:clock',
      '{queue-build}:ended',
      '{queue-build}:numbers',
    ]);
  });

  test('ten thousand connections that ended in silence do not count', async () => {
    const { subscriptions, prefix } = open();
    await subscriptions.connect('c', callerNamed('ann'));
    const key = `${prefix}:{connections}:listeners:project:shop`;
    await admin.zadd(key, ...Array.from({ length: 10_000 }, (_, i) => [1_000 + i, `stale-${i}`]).flat());
    expect(await subscriptions.subscribers(['project:shop'])).toEqual([]);
    await subscriptions.subscribe('c', 'project:shop');
    expect(await subscriptions.subscribers(['project:shop'])).toEqual(['c']);
    expect(await admin.zcard(key)).toBe(1);
  });
});
