import { buildJobId } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { type BuildWorkerDeps, drainBuildQueue } from '../../../lambdas/build-worker/workers/build.ts';
import { makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';

/** Several lanes claim from one queue; these jobs are no build jobs and are dropped, so no other port is needed. */
const Q = QUEUES.build;

async function scene(jobs: number, broken: readonly string[] = []) {
  const { queue } = await openMemoryPlatform({ clock: { now: Date.now } });
  for (let i = 0; i < jobs; i++) await queue.enqueue(Q, { id: `j${i}`, owner: 'ann', projectId: `p${i}`, data: null });
  const ack: typeof queue.ack = async (name, id) => {
    if (broken.includes(id)) throw new Error(`${id} could not be ended`);
    return queue.ack(name, id);
  };
  const limits = { global: 100, perOwner: 100, perProject: 100 };
  const deps = { queue: { ...queue, ack, claim: queue.claim.bind(queue) }, limits, log: silentLog };
  return {
    drain: (mayTakeMore?: () => boolean) => drainBuildQueue(deps as never as BuildWorkerDeps, mayTakeMore),
    count: async (state: 'waiting' | 'active') => (await queue.list(Q, state)).length,
  };
}

test('when its time is over nothing more is claimed, claimed jobs are finished, and the rest waits for a successor', async () => {
  const { drain, count } = await scene(20);
  let asked = 0;
  expect(await drain(() => ++asked <= 8)).toBe(false);
  expect([await count('waiting'), await count('active')]).toEqual([12, 0]);
  expect(await drain()).toBe(true);
  expect([await count('waiting'), await count('active')]).toEqual([0, 0]);
});

test('a fault ends its own lane; the others go on, and the caller hears of it', async () => {
  const { drain, count } = await scene(20, ['j3', 'j7']);
  await expect(drain()).rejects.toThrow(/could not be ended/);
  expect([await count('waiting'), await count('active')]).toEqual([0, 2]);
});

test('no time at all: nothing is taken', async () => {
  const { drain, count } = await scene(3);
  expect(await drain(() => false)).toBe(false);
  expect([await count('waiting'), await count('active')]).toEqual([3, 0]);
});

test('a job that cannot be read fails its build, which would else wait for ever', async () => {
  const clock = { now: Date.now };
  const { queue, store } = await openMemoryPlatform({ clock });
  const gitUrl = 'https://git.example/ann/p';
  const of = { deploymentId: '01m8hwvmt231kjfdvyp581m5gt', projectId: 'p', owner: 'ann', gitUrl, ref: null };
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, `${of.deploymentId}-r`, clock.now());
  const id = buildJobId(of.deploymentId, 'backend');
  const job = { queue: Q, id, owner: 'ann', projectId: 'p', data: { ...of, target: 'no such target' } };
  await store.create({ requested, request: { projectId: 'p', gitUrl }, job });
  const said: { value: string }[] = [];
  const bus = { publish: async (_topic: string, messages: { value: string }[]) => void said.push(...messages) };
  const limits = { global: 100, perOwner: 100, perProject: 100 };
  await drainBuildQueue({ queue, store, bus, clock, limits, log: silentLog } as never as BuildWorkerDeps);
  expect(said.map(({ value }) => JSON.parse(value))).toMatchObject([
    { type: 'build.failed', deploymentId: of.deploymentId, target: 'backend', error: { code: 'INTERNAL' } },
  ]);
  expect(await queue.get(Q, id)).toBeNull();
});
