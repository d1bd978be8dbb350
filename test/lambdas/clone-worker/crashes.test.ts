import { cloneJobId } from '../../../contract/jobs.ts';
import { QUEUES } from '../../../contract/names.ts';
import { drainCloneQueue, LEASE_MS } from '../../../lambdas/clone-worker/workers/clone.ts';
import { makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { clearWaitingSuspects } from '../../../local/adapters/clearWaitingSuspects.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { noProjects } from '../../support/noProjects.ts';

const Q = QUEUES.clone;
const gitUrl = 'https://git.example/x.git';

/** Lives of a platform, each ended by a crash while an analysis was at work. */
async function scene() {
  const clock = fakeClock();
  const platform = await openMemoryPlatform({ clock });
  const said: { type: string; deploymentId: string; error?: { code: string; message: string } }[] = [];
  const bus = {
    publish: async (_: unknown, messages: readonly { value: string }[]) => {
      for (const { value } of messages) said.push(JSON.parse(value));
    },
  };
  let started: string[] = [];
  const deps = {
    ...platform,
    bus,
    clock,
    log: silentLog,
    secretBox: testSecretBox(),
    ...noProjects,
    analyze: ({ projectId }: { projectId?: string }) => {
      started.push(projectId ?? '');
      return new Promise<never>(() => {}); // it never comes back: the process dies
    },
  };
  const add = async (id: string) => {
    const data = { deploymentId: id, projectId: id, owner: 'ann', request: { projectId: id, gitUrl } };
    await platform.queue.enqueue(Q, { id: cloneJobId(id), owner: 'ann', projectId: id, data });
  };
  return {
    platform,
    said,
    add,
    clock,
    deps,
    /** One life up to its crash; gives what was being analyzed. */
    async crash(): Promise<string[]> {
      started = [];
      clock.advance(60_000);
      void drainCloneQueue(deps);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      // Where nothing is at work nothing crashes.
      if (started.length === 0) return [];
      await platform.queue.expireLeases();
      await clearWaitingSuspects(platform.queue);
      return started;
    },
  };
}

test('an analysis that takes the platform down with it is given up after three crashes, with a true sentence', async () => {
  const { add, crash, said, platform } = await scene();
  await add('a');
  let crashes = 0;
  for (let life = 0; life < 12 && (await platform.queue.get(Q, 'a')); life++) crashes += (await crash()).length;
  expect(crashes).toBe(3);
  expect(said.at(-1)).toMatchObject({ type: 'deployment.failed', error: { code: 'CRASHES_REPEATED' } });
  expect(said.at(-1)!.error!.message).toContain('crashed 3 times in a row');
});

test('one that was merely at work when something else crashed the platform is not', async () => {
  const { add, crash, said, platform, clock } = await scene();
  await add('a');
  for (let round = 0; round < 10; round++) {
    await crash();
    await crash();
    // The third crash comes while it waits for its last chance.
    await platform.queue.expireLeases();
    const job = await platform.queue.claim(Q, { leaseMs: LEASE_MS });
    if (job) await platform.queue.requeue(Q, 'a', 10_000);
    await clearWaitingSuspects(platform.queue);
    clock.advance(-1); // and the clock may go back meanwhile
  }
  expect(said.filter((e) => e.type === 'deployment.failed')).toEqual([]);
  expect(await platform.queue.get(Q, 'a')).not.toBeNull();
});

test('a worker that is about to be ended takes no more jobs', async () => {
  const { add, deps, platform } = await scene();
  await add('a');
  await drainCloneQueue(deps, () => false);
  expect(await platform.queue.get(Q, 'a')).toMatchObject({ state: 'waiting' });
});

test('an outage of the log is no crash: however long it lasts, the deployment is analyzed when it is over', async () => {
  const { add, deps, platform, clock, said } = await scene();
  await add('a');
  let outage = true;
  const bus = {
    publish: (topic: unknown, messages: readonly { value: string }[]) =>
      outage ? Promise.reject(new Error('Kafka does not answer')) : deps.bus.publish(topic, messages),
  };
  const plan = { commit: 'c'.repeat(40), lane: 'production', candidates: [], warnings: [] } as never;
  const drain = () => drainCloneQueue({ ...deps, bus, analyze: async () => plan }).catch((e: Error) => e.message);
  for (let minute = 0; minute < 60; minute++) {
    expect([true, 'Kafka does not answer']).toContain(await drain());
    clock.advance(60_000);
  }
  outage = false;
  for (let minute = 0; minute < 6 && (await platform.queue.get(Q, 'a')); minute++) {
    await drain();
    clock.advance(60_000);
  }
  expect(said.map((e) => e.type)).toEqual(['deployment.analyzing', 'deployment.analyzed']);
  expect(await platform.queue.get(Q, 'a')).toBeNull();
});

test('a job that cannot be read fails its deployment, which would else wait for ever', async () => {
  const { deps, platform, said, clock } = await scene();
  const of = { deploymentId: '01m8hwvmt231kjfdvyp581m5gt', projectId: 'p', owner: 'ann', gitUrl, ref: null };
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, `${of.deploymentId}-r`, clock.now());
  const data = { ...of, request: { projectId: 'p', gitUrl, ref: 'no such ref:' } };
  const job = { queue: Q, id: cloneJobId(of.deploymentId), owner: 'ann', projectId: 'p', data };
  await platform.store.create({ requested, request: { projectId: 'p', gitUrl }, job });
  await drainCloneQueue(deps);
  expect(said).toMatchObject([
    { type: 'deployment.failed', deploymentId: of.deploymentId, error: { code: 'INTERNAL' } },
  ]);
  expect(await platform.queue.get(Q, job.id)).toBeNull();
});
