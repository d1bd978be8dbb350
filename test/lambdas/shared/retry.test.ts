import { buildJobId } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { crashesOf, MAX_BUILD_CRASHES } from '../../../lambdas/domain/crashes.ts';
import { failure } from '../../../lambdas/domain/failure.ts';
import { type EndedBy, MAX_ATTEMPTS_IN_ALL } from '../../../lambdas/domain/retry.ts';
import { retryOrFail } from '../../../lambdas/shared/retryOrFail.ts';
import { clearWaitingSuspects } from '../../../local/adapters/clearWaitingSuspects.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { fakeClock } from '../../support/fakeClock.ts';

const Q = QUEUES.build;
const MINUTE = 60_000;

async function scene() {
  const clock = fakeClock();
  const platform = await openMemoryPlatform({ clock });
  const said: { type: string; error: { code: string; message: string } }[] = [];
  const bus = {
    publish: async (_: unknown, messages: readonly { value: string }[]) => {
      for (const { value } of messages) said.push(JSON.parse(value));
    },
  };
  const add = (deploymentId: string) => {
    const id = buildJobId(deploymentId, 'frontend');
    return platform.queue.enqueue(Q, { id, owner: 'ann', projectId: deploymentId, data: { deploymentId } });
  };
  /** The next build that may start, started. */
  const take = async () => {
    clock.advance(2 * MINUTE);
    return platform.queue.claim(Q, { leaseMs: MINUTE });
  };
  const end = async (deploymentId: string, endedBy: EndedBy) => {
    const job = await platform.queue.get(Q, buildJobId(deploymentId, 'frontend'));
    const build = { deploymentId, projectId: 'p', target: 'frontend' as const, attempt: job!.attempt };
    await retryOrFail({ queue: platform.queue, bus, clock }, build, failure('TASK_LOST', { reason: 'gone' }), endedBy);
  };
  return { platform, clock, said, add, take, end };
}

test('ends that the platform has caused use up no attempt; those of the build do', async () => {
  const { add, take, end, said } = await scene();
  await add('a');
  for (let i = 0; i < 10; i++) {
    expect(await take()).toMatchObject({ attempt: i + 1 });
    await end('a', 'platform');
  }
  for (let i = 0; i < 2; i++) {
    expect(await take()).not.toBeNull();
    await end('a', 'build');
  }
  expect(await take()).toMatchObject({ attempt: 13 });
  await end('a', 'build');
  expect(await take()).toBeNull();
  expect(said.at(-1)).toMatchObject({ type: 'build.failed', error: { code: 'RETRIES_EXHAUSTED' } });
  expect(said.at(-1)!.error.message).toContain('13 times');
});

test('all the same there is an end', async () => {
  const { add, take, end, said } = await scene();
  await add('a');
  let attempts = 0;
  for (; await take(); attempts++) await end('a', 'platform');
  expect([attempts, said.at(-1)?.error.code]).toEqual([MAX_ATTEMPTS_IN_ALL, 'RETRIES_EXHAUSTED']);
});

test('a build during whose every run the platform crashes is given up with a sentence that is true', async () => {
  const { add, take, end, said } = await scene();
  await add('a');
  let crashes = 0;
  for (; await take(); crashes++) await end('a', 'crash');
  expect(crashes).toBe(MAX_BUILD_CRASHES);
  expect(said.at(-1)?.error.code).toBe('CRASHES_REPEATED');
  expect(said.at(-1)?.error.message).toContain(`crashed ${MAX_BUILD_CRASHES} times in a row`);
});

test('of two that ran at the crashes only the one is given up that crashes the platform alone', async () => {
  const { platform, add, end, said, clock } = await scene();
  await add('poison');
  await add('neighbour');
  const ended: string[] = [];
  // As the laptop lives: what may run runs; poison crashes the platform, and without it the neighbour ends well.
  for (let life = 0; life < 20 && ended.length < 2; life++) {
    clock.advance(2 * MINUTE);
    const running: string[] = [];
    for (
      let job = await platform.queue.claim(Q, { leaseMs: MINUTE });
      job;
      job = await platform.queue.claim(Q, { leaseMs: MINUTE })
    )
      running.push(job.projectId);
    if (running.includes('poison')) {
      await platform.queue.expireLeases();
      await clearWaitingSuspects(platform.queue);
      for (const id of running) await end(id, 'crash');
      if ((await platform.queue.get(Q, 'poison-frontend')) === null) ended.push('poison');
    } else
      for (const id of running) {
        await platform.queue.ack(Q, `${id}-frontend`);
        ended.push(id);
      }
  }
  expect(ended.sort()).toEqual(['neighbour', 'poison']);
  expect(said.filter((e) => e.type === 'build.failed').map((e) => e.error.code)).toEqual(['CRASHES_REPEATED']);
});

test('a crash while a suspect only waited clears it', async () => {
  const { platform, add, take, end } = await scene();
  await add('a');
  for (let round = 0; round < 20; round++) {
    expect(await take()).not.toBeNull();
    await end('a', 'crash');
    await clearWaitingSuspects(platform.queue);
  }
  expect(crashesOf((await platform.queue.get(Q, 'a-frontend'))!)).toBe(0);
});
