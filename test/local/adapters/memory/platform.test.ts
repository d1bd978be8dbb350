import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MemoryPlatform, openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';
import { analyzing, canceled, request, requested } from '../../../ports/deployments.ts';
import { fakeClock } from '../../../support/fakeClock.ts';

let dir: string;
let platform: MemoryPlatform;
const clock = fakeClock();
const errors: unknown[] = [];
const start = async () => {
  platform = await openMemoryPlatform({ dataDir: dir, clock, onError: (e) => errors.push(e) });
};
const restart = async () => {
  await platform.close();
  await start();
};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-platform-'));
  errors.length = 0;
  await start();
});
afterEach(async () => {
  await platform.close();
  await rm(dir, { recursive: true, force: true });
});

test('a restart changes nothing that can be seen', async () => {
  const { queue, store } = platform;
  await store.create({
    requested: requested('d1'),
    request: request(),
    idempotency: { key: 'k', fingerprint: 'f' },
  });
  await store.create({ requested: requested('d2', { seconds: 5 }), request: request() });
  await store.fold('d1', [analyzing('d1'), canceled('d1')]);
  for (const id of ['a', 'b', 'c']) await queue.enqueue('build', { id, data: { id }, owner: 'ann', projectId: 'shop' });
  await queue.claim('build', { leaseMs: 1_000 });
  await queue.note('build', 'a', { taskArn: 'arn' });
  await queue.ack('build', 'b');

  const look = async () => ({
    waiting: await platform.queue.list('build', 'waiting'),
    active: await platform.queue.list('build', 'active'),
    d1: await platform.store.get('d1'),
    list: await platform.store.list({ owner: 'ann', limit: 10 }),
    unfinished: await platform.store.unfinished(),
    owner: await platform.store.projectOwner('shop'),
  });
  const before = await look();
  await restart();
  expect(await look()).toEqual(before);
  expect(await platform.queue.enqueue('build', { id: 'b', data: 0, owner: 'ann', projectId: 'shop' })).toBe(false);
  expect(
    await platform.store.create({
      requested: requested('d3'),
      request: request(),
      idempotency: { key: 'k', fingerprint: 'f' },
    }),
  ).toEqual({ kind: 'replayed', deploymentId: 'd1' });
});

const entry = (n: number) =>
  ({ at: '2026-01-01T00:00:00.000Z', target: 'frontend', stream: 'stdout', attempt: 1, n, line: `line ${n}` }) as const;

test('a log goes on where it ended, and knows what it has', async () => {
  await platform.logs.append('d', [0, 1, 2].map(entry));
  await restart();
  await platform.logs.append('d', [1, 2, 3].map(entry));
  const lines = await platform.logs.read('d', 0, 10);
  expect(lines.map((l) => [l.seq, l.line])).toEqual([
    [1, 'line 0'],
    [2, 'line 1'],
    [3, 'line 2'],
    [4, 'line 3'],
  ]);
});

test('a log keeps its numbers when its file has a torn end or a damaged line', async () => {
  await platform.logs.append('d', [0, 1, 2].map(entry));
  await platform.close();
  const path = join(dir, 'logs', 'd.ndjson');
  const lines = (await readFile(path, 'utf8')).split('\n');
  lines[1] = 'damage';
  await writeFile(path, `${lines.join('\n')}["fron`);
  await start();
  await platform.logs.append('d', [entry(3)]);
  const read = await platform.logs.read('d', 0, 10);
  expect(read.map((l) => l.seq)).toEqual([1, 2, 3, 4]);
  expect(read.map((l) => l.line)).toEqual(['line 0', '(this line cannot be read any more)', 'line 2', 'line 3']);
});

test('logs that nobody uses are closed, and open again with all they had', async () => {
  for (let i = 0; i < 100; i++) await platform.logs.append(`d${i}`, [entry(0), entry(1)]);
  for (let i = 0; i < 100; i++) {
    expect(await platform.logs.count(`d${i}`, 'frontend', 1)).toBe(2);
    await platform.logs.append(`d${i}`, [entry(1), entry(2)]);
    expect(await platform.logs.read(`d${i}`, 2, 5)).toHaveLength(1);
  }
  const open = await readFile('/proc/self/maps').then(
    async () => (await import('node:fs/promises')).readdir('/proc/self/fd'),
    () => [],
  );
  expect(open.length).toBeLessThan(100);
});

test('an id cannot lead out of the folder of logs', async () => {
  await platform.logs.append('../../escaped/é', [entry(0)]);
  expect(await platform.logs.read('../../escaped/é', 0, 1)).toHaveLength(1);
  await expect(readFile(join(dir, '..', 'escaped'))).rejects.toThrow('ENOENT');
});

test('messages are handled again after a restart until their handler has resolved', async () => {
  await platform.bus.publish('build-logs', [{ key: 'k', value: '1' }]);
  platform.bus.subscribe('build-logs', async () => {
    throw new Error('not yet');
  });
  await platform.bus.publish('build-logs', [{ key: 'k', value: '2' }]);
  await restart();
  expect(errors).not.toHaveLength(0);
  const values: string[] = [];
  platform.bus.subscribe('build-logs', async (batch) => {
    values.push(...batch.map((m) => m.value));
  });
  await platform.bus.idle();
  expect(values).toEqual(['1', '2']);
  await restart();
  await platform.bus.publish('build-logs', [{ key: 'k', value: '3' }]);
  const later: [number, string][] = [];
  platform.bus.subscribe('build-logs', async (batch) => {
    later.push(...batch.map((m): [number, string] => [m.offset, m.value]));
  });
  await platform.bus.idle();
  expect(later).toEqual([[2, '3']]);
});

test('a handler gets a few megabytes at once, and at least one message', async () => {
  const values = [...Array.from({ length: 9 }, () => 'x'.repeat(1_000_000)), 'y'.repeat(5_000_000), 'z'];
  await platform.bus.publish(
    'build-logs',
    values.map((value) => ({ key: 'k', value })),
  );
  const batches: string[][] = [];
  platform.bus.subscribe('build-logs', async (batch) => void batches.push(batch.map((m) => m.value)));
  await platform.bus.idle();
  expect(batches.map((b) => b.length)).toEqual([4, 4, 1, 1, 1]);
  expect(batches.flat()).toEqual(values);
});

test('a topic has one handler', () => {
  platform.bus.subscribe('build-logs', async () => {});
  expect(() => platform.bus.subscribe('build-logs', async () => {})).toThrow('handler');
});

describe('the waker', () => {
  /** A worker whose runs end when they are told to. */
  function worker() {
    const ends: (() => void)[] = [];
    let runs = 0;
    const run = async () => {
      runs++;
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    return { run, end: () => ends.shift()?.(), runs: () => runs };
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

  test('many rings during a run lead to exactly one more', async () => {
    const w = worker();
    platform.waker.on('build-worker', w.run);
    await platform.waker.wake('build-worker');
    await turn();
    for (let i = 0; i < 5; i++) await platform.waker.wake('build-worker');
    await turn();
    expect(w.runs()).toBe(1);
    w.end();
    await turn();
    expect(w.runs()).toBe(2);
    w.end();
    await turn();
    expect(w.runs()).toBe(2);
  });

  test('rings before the run starts are one run, and those from before there is a worker are kept', async () => {
    const w = worker();
    await platform.waker.wake('build-worker');
    await platform.waker.wake('build-worker');
    platform.waker.on('build-worker', w.run);
    await turn();
    expect(w.runs()).toBe(1);
    w.end();
    await turn();
    expect(w.runs()).toBe(1);
  });

  test('a run that fails is reported, and the next ring is answered', async () => {
    let runs = 0;
    platform.waker.on('clone-worker', async () => {
      runs++;
      throw new Error('no');
    });
    await platform.waker.wake('clone-worker');
    await turn();
    await platform.waker.wake('clone-worker');
    await turn();
    expect([runs, errors.length]).toEqual([2, 2]);
  });
});

test('functions that do not end in time are cut off: their jobs were never taken, and a build has its job on', async () => {
  const dataDir = join(dir, 'cut');
  const closing = await openMemoryPlatform({ dataDir, clock: { now: Date.now }, lastRunsMs: 50 });
  const job = { owner: 'ada', projectId: 'p', data: {} };
  for (const queue of ['clone', 'build'] as const) await closing.queue.enqueue(queue, { id: queue, ...job });
  let more: boolean | undefined;
  closing.waker.on('clone-worker', async (mayTakeMore) => {
    for (const queue of ['clone', 'build'] as const) await closing.queue.claim(queue, { leaseMs: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    more = mayTakeMore();
    await new Promise(() => undefined);
  });
  await closing.waker.wake('clone-worker');
  while ((await closing.queue.list('build', 'active')).length === 0) await new Promise((r) => setTimeout(r, 5));
  await closing.close();
  expect(more).toBe(false);
  const next = await openMemoryPlatform({ dataDir, clock: { now: Date.now } });
  expect(next.crashed).toBe(false);
  expect(await next.queue.claim('clone', { leaseMs: 1 })).toMatchObject({
    id: 'clone',
    attempt: 1,
    leaseExpired: false,
  });
  expect(await next.queue.list('build', 'active')).toMatchObject([{ id: 'build' }]);
  await next.close();
});

test('a message reaches its connection until that is gone', async () => {
  const got: string[] = [];
  const detach = platform.notifier.attach('c', (m) => void got.push(m));
  expect(await platform.notifier.send('c', 'one')).toBe('sent');
  detach();
  expect(await platform.notifier.send('c', 'two')).toBe('gone');
  expect(got).toEqual(['one']);
});
