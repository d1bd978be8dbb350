import { QUEUES } from '../../../contract/names.ts';
import { type BuildWorkerDeps, drainBuildQueue } from '../../../lambdas/build-worker/workers/build.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';

/** Several lanes take from one queue; what they take here is dropped as no build job, so nothing else is asked for. */
const Q = QUEUES.build;

async function scene(jobs: number, broken: readonly string[] = []) {
  const { queue } = await openMemoryPlatform({ clock: { now: Date.now } });
  for (let i = 0; i < jobs; i++) await queue.enqueue(Q, { id: `j${i}`, owner: 'ann', projectId: `p${i}`, data: null });
  const ack: typeof queue.ack = async (name, id) => {
    if (broken.includes(id)) throw new Error(`${id} could not be completed`);
    return queue.ack(name, id);
  };
  const limits = { global: 100, perOwner: 100, perProject: 100 };
  const deps = { queue: { ...queue, ack }, limits, log: silentLog };
  return {
    drain: (mayTakeMore?: () => boolean) => drainBuildQueue(deps as never as BuildWorkerDeps, mayTakeMore),
    count: async (state: 'waiting' | 'active') => (await queue.list(Q, state)).length,
  };
}

test('when its time is over nothing more is taken, what was taken is finished, and the rest waits for a successor', async () => {
  const { drain, count } = await scene(20);
  let asked = 0;
  expect(await drain(() => ++asked <= 8)).toBe(false);
  expect([await count('waiting'), await count('active')]).toEqual([12, 0]);
  expect(await drain()).toBe(true);
  expect([await count('waiting'), await count('active')]).toEqual([0, 0]);
});

test('a fault ends its own lane; the others go on, and the caller hears of it', async () => {
  const { drain, count } = await scene(20, ['j3', 'j7']);
  await expect(drain()).rejects.toThrow(/could not be completed/);
  expect([await count('waiting'), await count('active')]).toEqual([0, 2]);
});

test('no time at all: nothing is taken', async () => {
  const { drain, count } = await scene(3);
  expect(await drain(() => false)).toBe(false);
  expect([await count('waiting'), await count('active')]).toEqual([3, 0]);
});
