import fc from 'fast-check';
import type { QueueName } from '../../contract/names.ts';
import type { JobQueue } from '../../lambdas/shared/ports.ts';
import type { FakeClock } from '../support/fakeClock.ts';
import { queueCommands } from './jobQueueModel.ts';
import { overStorages } from './storages.ts';

const Q: QueueName = 'build';
const LEASE = { leaseMs: 60_000 };

const job = (id: string, owner = 'ann', projectId = 'shop') => ({ id, owner, projectId, data: { id, n: 1 } });
const ids = (jobs: readonly { id: string }[]) => jobs.map((j) => j.id);

overStorages('JobQueue', (open) => {
  let queue: JobQueue;
  let clock: FakeClock;
  beforeEach(async () => {
    ({ queue, clock } = await open());
  });
  const add = async (...jobs: ReturnType<typeof job>[]) => {
    for (const j of jobs) await queue.enqueue(Q, j);
  };

  test('a job comes out as it went in', async () => {
    const data = { text: 'ü "quoted" \u0000 \u2028', list: [], nothing: null, empty: {}, deep: [{ n: 1.5 }] };
    expect(await queue.enqueue(Q, { ...job('a'), data })).toBe(true);
    const waiting = {
      ...job('a'),
      data,
      state: 'waiting',
      attempt: 1,
      addedAt: clock.now(),
      runAt: clock.now(),
      notes: {},
    };
    expect(await queue.get(Q, 'a')).toEqual(waiting);
    const active = { ...waiting, state: 'active', leaseUntil: clock.now() + 60_000 };
    expect(await queue.claim(Q, LEASE)).toEqual({ ...active, leaseExpired: false });
    expect(await queue.get(Q, 'a')).toEqual(active);
    expect(await queue.claim(Q, LEASE)).toBeNull();
  });

  test('queues know nothing of each other', async () => {
    await add(job('a'));
    expect(await queue.claim('clone', LEASE)).toBeNull();
    expect(await queue.enqueue('clone', job('a'))).toBe(true);
    expect(await queue.ack('clone', 'a')).toBe(true);
    expect(await queue.get(Q, 'a')).not.toBeNull();
  });

  test.each(['waiting', 'active', 'completed', 'removed'])('an id is never added again: %s', async (state) => {
    await add(job('a'));
    if (state === 'active' || state === 'completed') await queue.claim(Q, LEASE);
    if (state === 'completed') await queue.ack(Q, 'a');
    if (state === 'removed') await queue.remove(Q, 'a');
    expect(await queue.enqueue(Q, { ...job('a', 'bob'), data: 'other' })).toBe(false);
    expect((await queue.get(Q, 'a'))?.owner).toBe(state === 'waiting' || state === 'active' ? 'ann' : undefined);
  });

  test('of many adds of one id at once one counts', async () => {
    const added = await Promise.all(Array.from({ length: 20 }, () => queue.enqueue(Q, job('a'))));
    expect(added.filter(Boolean)).toHaveLength(1);
  });

  test('the oldest goes first, and one that was put back keeps its place', async () => {
    await add(job('a'), job('b'), job('c'));
    expect((await queue.claim(Q, LEASE))?.id).toBe('a');
    expect(await queue.requeue(Q, 'a', 0)).toBe(true);
    expect(ids(await queue.list(Q, 'waiting'))).toEqual(['a', 'b', 'c']);
    expect((await queue.claim(Q, LEASE))?.id).toBe('a');
    expect(await queue.retry(Q, 'a', 1, 0)).toBe(true);
    expect((await queue.claim(Q, LEASE))?.id).toBe('a');
  });

  test('what is not due waits behind what is, by time', async () => {
    await add(job('a'), job('b'), job('c'));
    await queue.claim(Q, LEASE);
    await queue.claim(Q, LEASE);
    await queue.retry(Q, 'a', 1, 2_000);
    await queue.requeue(Q, 'b', 1_000);
    expect(ids(await queue.list(Q, 'waiting'))).toEqual(['c', 'b', 'a']);
    expect((await queue.claim(Q, LEASE))?.id).toBe('c');
    expect(await queue.claim(Q, LEASE)).toBeNull();
    clock.advance(999);
    expect(await queue.claim(Q, LEASE)).toBeNull();
    clock.advance(1);
    expect((await queue.claim(Q, LEASE))?.id).toBe('b');
    clock.advance(1_000);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ id: 'a', attempt: 2 });
  });

  test('an owner may have a limit of its own, lower or higher, within the global one', async () => {
    const limits = { global: 5, perOwner: 2, perProject: 9, owners: { ann: 1, 'bob "b" é': 4 } };
    const take = async () => (await queue.claim(Q, { ...LEASE, limits }))?.id;
    for (const owner of ['ann', 'bob "b" é', '__proto__'])
      for (const n of [1, 2, 3, 4, 5]) await add(job(`${owner}${n}`, owner, `of-${owner.slice(0, 3)}`));
    expect([await take(), await take(), await take()]).toEqual(['ann1', 'bob "b" é1', 'bob "b" é2']);
    expect([await take(), await take()]).toEqual(['bob "b" é3', 'bob "b" é4']);
    expect(await take()).toBeUndefined();
    for (const n of [1, 2, 3, 4]) await queue.ack(Q, `bob "b" é${n}`);
    expect([await take(), await take(), await take(), await take()]).toEqual([
      'bob "b" é5',
      '__proto__1',
      '__proto__2',
      undefined,
    ]);
  });

  test('limits: global, per owner and per project; who is over one does not hold up the others', async () => {
    const limits = { global: 4, perOwner: 2, perProject: 1 };
    const take = async () => (await queue.claim(Q, { ...LEASE, limits }))?.id;
    await add(
      job('a1', 'ann', 'p1'),
      job('a2', 'ann', 'p1'),
      job('a3', 'ann', 'p2'),
      job('a4', 'ann', 'p3'),
      job('b1', 'bob', 'p4'),
      job('c1', 'cid', 'p5'),
      job('d1', 'dan', 'p6'),
    );
    expect([await take(), await take(), await take(), await take()]).toEqual(['a1', 'a3', 'b1', 'c1']);
    expect(await take()).toBeUndefined();
    await queue.ack(Q, 'a3');
    expect(await take()).toBe('a4');
    await queue.ack(Q, 'a1');
    expect(await take()).toBe('a2');
    expect(ids(await queue.list(Q, 'waiting'))).toEqual(['d1']);
  });

  test.each([{ global: 0 }, { perOwner: 0 }, { perProject: 0 }])(
    'a limit of nought stops everything: %o',
    async (limit) => {
      await add(job('a'));
      const limits = { global: 9, perOwner: 9, perProject: 9, ...limit };
      expect(await queue.claim(Q, { ...LEASE, limits })).toBeNull();
    },
  );

  test('retry, release and complete free the slot', async () => {
    const limits = { global: 1, perOwner: 1, perProject: 1 };
    const take = async () => (await queue.claim(Q, { ...LEASE, limits }))?.id;
    await add(job('a'), job('b'));
    expect([await take(), await take()]).toEqual(['a', undefined]);
    await queue.retry(Q, 'a', 1, 5_000);
    expect([await take(), await take()]).toEqual(['b', undefined]);
    await queue.requeue(Q, 'b', 9_000);
    clock.advance(5_000);
    expect([await take(), await take()]).toEqual(['a', undefined]);
    await queue.ack(Q, 'a');
    clock.advance(4_000);
    expect(await take()).toBe('b');
  });

  test('takers at once never get the same job and never pass a limit', async () => {
    await add(...Array.from({ length: 30 }, (_, i) => job(`j${i}`, `o${i % 3}`, `p${i % 6}`)));
    const limits = { global: 10, perOwner: 4, perProject: 2 };
    const taken = (await Promise.all(Array.from({ length: 40 }, () => queue.claim(Q, { ...LEASE, limits })))).filter(
      (j) => j !== null,
    );
    expect(new Set(ids(taken)).size).toBe(10);
    expect(taken).toHaveLength(10);
    for (const [key, most] of [
      ['owner', 4],
      ['projectId', 2],
    ] as const) {
      const counts = taken.map((j) => taken.filter((other) => other[key] === j[key]).length);
      expect(Math.max(...counts)).toBeLessThanOrEqual(most);
    }
  });

  test('an expired lease gives the job to the next taker with its attempt and notes', async () => {
    await add(job('a'), job('b'));
    await queue.claim(Q, LEASE);
    await queue.note(Q, 'a', { taskArn: 'arn' });
    clock.advance(59_999);
    expect((await queue.claim(Q, LEASE))?.id).toBe('b');
    clock.advance(1);
    expect(await queue.get(Q, 'a')).toMatchObject({ state: 'active', leaseUntil: clock.now() });
    expect(ids(await queue.list(Q, 'active')).sort()).toEqual(['a', 'b']);
    expect(await queue.list(Q, 'waiting')).toEqual([]);
    const taken = await queue.claim(Q, LEASE);
    expect(taken).toMatchObject({
      id: 'a',
      attempt: 1,
      notes: { taskArn: 'arn' },
      leaseUntil: clock.now() + 60_000,
      leaseExpired: true,
    });
  });

  test('a job with an expired lease takes no slot, and needs one to be taken again', async () => {
    const limits = { global: 1, perOwner: 1, perProject: 1 };
    await add(job('a'), job('b'));
    await queue.claim(Q, { ...LEASE, limits });
    clock.advance(60_000);
    expect((await queue.claim(Q, { ...LEASE, limits }))?.id).toBe('a');
    clock.advance(30_000);
    expect(await queue.claim(Q, { ...LEASE, limits })).toBeNull();
  });

  test('a job with an expired lease that may not be taken is still active', async () => {
    const limits = { global: 9, perOwner: 1, perProject: 9 };
    await add(job('a'), job('b'));
    await queue.claim(Q, LEASE);
    await queue.claim(Q, { leaseMs: 90_000 });
    clock.advance(60_000);
    expect(await queue.claim(Q, { ...LEASE, limits })).toBeNull();
    expect(ids(await queue.list(Q, 'active')).sort()).toEqual(['a', 'b']);
    expect(await queue.list(Q, 'waiting')).toEqual([]);
    expect(await queue.remove(Q, 'a')).toBe('active');
    expect(await queue.ack(Q, 'a')).toBe(true);
    expect(ids(await queue.list(Q, 'active'))).toEqual(['b']);
  });

  test('extend sets the lease anew, also one that has expired; only of active jobs', async () => {
    await add(job('a'));
    expect(await queue.heartbeat(Q, 'a', 1_000)).toBe(false);
    await queue.claim(Q, LEASE);
    clock.advance(10_000);
    expect(await queue.heartbeat(Q, 'a', 1_000)).toBe(true);
    expect((await queue.get(Q, 'a'))?.leaseUntil).toBe(clock.now() + 1_000);
    clock.advance(5_000);
    expect(await queue.heartbeat(Q, 'a', 1_000)).toBe(true);
    expect(await queue.claim(Q, LEASE)).toBeNull();
    await queue.ack(Q, 'a');
    expect(await queue.heartbeat(Q, 'a', 1_000)).toBe(false);
    expect(await queue.heartbeat(Q, 'nobody', 1_000)).toBe(false);
  });

  test('notes are merged, kept by release, emptied by retry', async () => {
    await add(job('a'));
    expect(await queue.note(Q, 'a', { one: '1', two: '2' })).toBe(true);
    await queue.claim(Q, LEASE);
    expect(await queue.note(Q, 'a', { two: 'zwei', '': 'é' })).toBe(true);
    const notes = { one: '1', two: 'zwei', '': 'é' };
    expect((await queue.get(Q, 'a'))?.notes).toEqual(notes);
    await queue.requeue(Q, 'a', 0);
    expect((await queue.claim(Q, LEASE))?.notes).toEqual(notes);
    await queue.retry(Q, 'a', 1, 0);
    expect((await queue.get(Q, 'a'))?.notes).toEqual({});
    await queue.remove(Q, 'a');
    expect(await queue.note(Q, 'a', { x: 'y' })).toBe(false);
    expect(await queue.note(Q, 'nobody', { x: 'y' })).toBe(false);
  });

  test('handing on notes and adds in one step, and does neither for a job that has ended', async () => {
    await add(job('a'), job('b'));
    const next = [job('a', 'bob', 'x'), { ...job('c'), data: 'ü\u0000"' }];
    expect(await queue.enqueueFollowing(Q, 'a', { plan: '{}', more: '' }, 'clone', next)).toBe(true);
    expect((await queue.get(Q, 'a'))?.notes).toEqual({ plan: '{}', more: '' });
    expect(await queue.list('clone', 'waiting')).toMatchObject(next.map((j) => ({ ...j, attempt: 1, notes: {} })));
    expect(await queue.enqueueFollowing(Q, 'a', { more: '1' }, 'clone', [{ ...job('a'), data: 'other' }])).toBe(true);
    expect((await queue.get('clone', 'a'))?.owner).toBe('bob');
    expect(await queue.enqueueFollowing(Q, 'b', {}, 'clone', [])).toBe(true);
    await queue.ack(Q, 'a');
    expect(await queue.enqueueFollowing(Q, 'a', { x: 'y' }, 'clone', [job('d')])).toBe(false);
    expect([await queue.get(Q, 'a'), await queue.get('clone', 'd')]).toEqual([null, null]);
    expect((await queue.claim('clone', LEASE))?.id).toBe('a');
  });

  test('a job that was given back is not taken for one that was left', async () => {
    await add(job('a'));
    await queue.claim(Q, LEASE);
    await queue.requeue(Q, 'a', 0);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ leaseExpired: false });
    clock.advance(60_000);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ leaseExpired: true });
    expect(await queue.get(Q, 'a')).not.toHaveProperty('lapsed');
    await queue.retry(Q, 'a', 1, 0);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ leaseExpired: false });
  });

  test('of two who retry an attempt one may', async () => {
    await add(job('a'));
    expect(await queue.retry(Q, 'a', 1, 0)).toBe(false);
    await queue.claim(Q, LEASE);
    expect(await queue.retry(Q, 'a', 2, 0)).toBe(false);
    const retried = await Promise.all([1, 2, 3].map(() => queue.retry(Q, 'a', 1, 0)));
    expect(retried.filter(Boolean)).toHaveLength(1);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ attempt: 2 });
    expect(await queue.retry(Q, 'a', 1, 0)).toBe(false);
    expect(await queue.retry(Q, 'nobody', 1, 0)).toBe(false);
  });

  test('what is retried has the notes that it is given, and no others', async () => {
    await add(job('a'));
    await queue.claim(Q, LEASE);
    await queue.note(Q, 'a', { taskArn: 'x' });
    await queue.retry(Q, 'a', 1, 0, { excused: '1', crashes: '2' });
    expect(await queue.claim(Q, LEASE)).toMatchObject({ attempt: 2, notes: { excused: '1', crashes: '2' } });
    await queue.retry(Q, 'a', 2, 0);
    expect((await queue.claim(Q, LEASE))?.notes).toEqual({});
  });

  test('a clock that is set back delays nothing', async () => {
    await add(job('a'));
    await queue.claim(Q, LEASE);
    clock.advance(10_000); // so that it is known where the clock has been
    await queue.retry(Q, 'a', 1, 30_000);
    clock.advance(-3_600_000);
    await add(job('b'));
    expect(await queue.claim(Q, LEASE)).toMatchObject({ id: 'b' });
    clock.advance(31_000);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ id: 'a' });
    clock.advance(60_001);
    expect(await queue.claim(Q, LEASE)).toMatchObject({ leaseExpired: true });
  });

  test('an expired lease can still be retried, released or completed by who watches it', async () => {
    await add(job('a'), job('b'), job('c'));
    for (let i = 0; i < 3; i++) await queue.claim(Q, LEASE);
    clock.advance(3_600_000);
    expect(await queue.retry(Q, 'a', 1, 60_000)).toBe(true);
    expect(await queue.requeue(Q, 'b', 60_000)).toBe(true);
    expect(await queue.ack(Q, 'c')).toBe(true);
    expect(await queue.claim(Q, LEASE)).toBeNull();
  });

  test('release is only for active jobs', async () => {
    await add(job('a'));
    expect(await queue.requeue(Q, 'a', 0)).toBe(false);
    expect(await queue.requeue(Q, 'nobody', 0)).toBe(false);
    await queue.claim(Q, LEASE);
    expect(await queue.requeue(Q, 'a', 1_000)).toBe(true);
    expect(await queue.get(Q, 'a')).toMatchObject({ state: 'waiting', attempt: 1, runAt: clock.now() + 1_000 });
    expect(await queue.get(Q, 'a')).not.toHaveProperty('leaseUntil');
  });

  test('complete ends a waiting or active job once', async () => {
    await add(job('a'), job('b'));
    await queue.claim(Q, LEASE);
    expect([await queue.ack(Q, 'a'), await queue.ack(Q, 'a')]).toEqual([true, false]);
    expect([await queue.ack(Q, 'b'), await queue.ack(Q, 'b')]).toEqual([true, false]);
    expect(await queue.ack(Q, 'nobody')).toBe(false);
    expect([await queue.get(Q, 'a'), await queue.claim(Q, LEASE)]).toEqual([null, null]);
    expect([...(await queue.list(Q, 'active')), ...(await queue.list(Q, 'waiting'))]).toEqual([]);
  });

  test('remove takes out what waits and leaves what is active, also with an expired lease', async () => {
    await add(job('a'), job('b'));
    await queue.claim(Q, LEASE);
    expect(await queue.remove(Q, 'a')).toBe('active');
    clock.advance(60_000);
    expect(await queue.remove(Q, 'a')).toBe('active');
    expect(await queue.remove(Q, 'b')).toBe('removed');
    expect(await queue.remove(Q, 'b')).toBe('absent');
    expect(await queue.remove(Q, 'nobody')).toBe('absent');
    await queue.ack(Q, 'a');
    expect(await queue.remove(Q, 'a')).toBe('absent');
  });

  test('a take and a remove at once: one of them gets the job', async () => {
    for (let i = 0; i < 20; i++) {
      await add(job(`j${i}`));
      const [taken, removed] = await Promise.all([queue.claim(Q, LEASE), queue.remove(Q, `j${i}`)]);
      expect(removed).toBe(taken ? 'active' : 'removed');
      if (taken) await queue.ack(Q, taken.id);
    }
  });

  test('behaves as the model does, whatever is done in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(queueCommands, async (commands) => {
        const fresh = await open();
        await fc.asyncModelRun(
          () => ({
            model: { jobs: [], ended: new Set<string>(), next: new Set<string>(), now: fresh.clock.now() },
            real: fresh,
          }),
          commands,
        );
      }),
      { numRuns: 60 },
    );
  });
});
