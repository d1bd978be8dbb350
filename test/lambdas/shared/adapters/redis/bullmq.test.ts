import { type Job, Queue, Worker } from 'bullmq';
import { connectRedis } from '../../../../../lambdas/shared/adapters/redis/connect.ts';
import { redisQueue } from '../../../../../lambdas/shared/adapters/redis/queue.ts';
import { describeWith } from '../../../../support/engines.ts';
import { anyRedis, type RedisEngine, redisMissing } from '../../../../support/redis.ts';

/**
 * The evidence behind docs/decisions/adapters-queue.md: what the port promises and BullMQ's public API cannot keep. A
 * release of BullMQ that turns one of these red is a reason to look at the decision again.
 */
describeWith(redisMissing, 'why the queue is not BullMQ', () => {
  let engine: RedisEngine;
  let queue: Queue;
  const workers: Worker[] = [];
  beforeAll(async () => {
    engine = await anyRedis();
  });
  beforeEach(() => {
    queue = new Queue('build', { connection: connection(), prefix: engine.prefix() });
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((w) => w.close(true)));
    await queue.obliterate({ force: true });
    await queue.close();
  });
  afterAll(() => engine.stop());

  const connection = () => {
    const { hostname, port, password, username } = new URL(engine.url);
    return { host: hostname, port: Number(port), username, password, maxRetriesPerRequest: null };
  };
  /** A worker that takes by hand, as a function does that is woken and ends. */
  function taker(lockDuration = 30_000) {
    const options = { connection: connection(), prefix: queue.opts.prefix!, autorun: false, lockDuration };
    const worker = new Worker(queue.name, null, { ...options, stalledInterval: 60_000 });
    workers.push(worker);
    return (token: string) => worker.getNextJob(token, { block: false });
  }
  const add = (id: string, owner: string) => queue.add('build', { owner }, { jobId: id });
  const activeOf = async (owner: string) => (await queue.getActive()).filter((j) => j.data.owner === owner).length;

  test('a limit per owner can only be checked after the take: two takers at once pass it, or both give way', async () => {
    await add('a1', 'ann');
    await add('a2', 'ann');
    const takeWithinOne = async (token: string) => {
      const job = (await taker()(token)) as Job;
      return { job, active: await activeOf('ann') };
    };
    const [one, two] = await Promise.all([takeWithinOne('t1'), takeWithinOne('t2')]);
    // Both jobs are active, so the limit of one has been passed; and each taker, if it looks late enough, has to think
    // that it is the one too many.
    expect(new Set([one.job.id, two.job.id]).size).toBe(2);
    expect(Math.max(one.active, two.active)).toBe(2);
  });

  test('a job that is taken and put back goes behind those who came later, or is delayed', async () => {
    for (const id of ['a1', 'a2', 'b1']) await add(id, id[0]!);
    const job = (await taker()('t')) as Job;
    expect(job.id).toBe('a1');
    await job.moveToDelayed(Date.now() + 1, 't');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const next = taker();
    expect([(await next('t'))?.id, (await next('t'))?.id, (await next('t'))?.id]).toEqual(['a2', 'b1', 'a1']);
  });

  test('behind an owner at its limit every waiting job is taken and put back one by one', async () => {
    const blocked = 200;
    for (let i = 0; i < blocked; i++) await add(`a${i}`, 'ann');
    await add('b', 'bob');
    const take = taker();
    let moves = 0;
    for (;;) {
      const job = (await take('t')) as Job;
      if (job.data.owner === 'bob') break;
      await job.moveToDelayed(Date.now() + 60_000, 't');
      moves++;
    }
    expect(moves).toBe(blocked);

    const client = connectRedis({ url: engine.url });
    const ours = redisQueue(client, { prefix: engine.prefix() });
    for (let i = 0; i <= blocked; i++) {
      const owner = i === blocked ? 'bob' : 'ann';
      await ours.enqueue('build', { id: `j${i}`, owner, projectId: `p${i}`, data: null });
    }
    const limits = { global: 10, perOwner: 1, perProject: 10 };
    expect((await ours.claim('build', { leaseMs: 1_000, limits }))?.owner).toBe('ann');
    expect((await ours.claim('build', { leaseMs: 1_000, limits }))?.owner).toBe('bob');
    client.disconnect();
  });

  test('once its lock has expired a job can be moved by nobody who watches it', async () => {
    await add('a', 'ann');
    const job = (await taker(50)('t')) as Job;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(job.moveToDelayed(Date.now() + 1, 't')).rejects.toThrow(/missing lock/i);
    expect(await job.extendLock('t', 1_000)).toBe(0);
  });

  test('a job with an expired lock is not taken, but waits for the second of two checks', async () => {
    await add('a', 'ann');
    await taker(20)('t');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await taker()('t2')).toBeUndefined();
  });

  test('an add does not tell whether the id was there before', async () => {
    const first = await add('a', 'ann');
    const second = await add('a', 'bob');
    expect(second.id).toBe(first.id);
    // What the answer says was added is not what is stored.
    expect(second.data).toEqual({ owner: 'bob' });
    expect((await queue.getJob('a'))?.data).toEqual({ owner: 'ann' });
  });

  test('an id that was removed can be added again', async () => {
    await add('a', 'ann');
    await queue.remove('a');
    await add('a', 'ann');
    expect(await queue.getWaitingCount()).toBe(1);
  });
});
