import { QUEUES } from '../../../contract/names.ts';
import { commitOf, gitStage } from './gitStage.ts';

const [A, B, C] = [commitOf(1), commitOf(2), commitOf(3)];
const MINUTE = 60_000;
type Stage = Awaited<ReturnType<typeof gitStage>>;

const waiting = (stage: Stage) => stage.ports.queue.list(QUEUES.delivery, 'waiting');
const commits = async (stage: Stage) => (await stage.deployments()).map(({ trigger }) => trigger?.commit).reverse();
const fault = async (stage: Stage) => (await stage.call('GET', '/projects/shop')).body.gitFault;

/** At most two deployments an hour. */
const limited = async () => {
  const stage = await gitStage({ limits: { all: { deploymentsPerHour: 2 }, owners: {} } });
  await stage.connect({ productionBranch: 'main' });
  return stage;
};

test('what a commit has deployed already counts no second time for the limit of the owner', async () => {
  const stage = await limited();
  stage.setRef('a', A);
  for (let i = 0; i < 5; i++) await stage.deliver('push', stage.pushed('a', A));
  await stage.worker();
  stage.setRef('b', B);
  await stage.deliver('push', stage.pushed('b', B));
  await stage.worker();
  expect(await commits(stage)).toEqual([A, B]);
  // Nor is a repeat refused while the owner is over the limit.
  await stage.deliver('push', stage.pushed('a', A));
  await stage.worker();
  expect(await waiting(stage)).toEqual([]);
});

test('a delivery over the limit waits for as long as the limit says, and uses up no try', async () => {
  const stage = await limited();
  for (const [branch, commit] of Object.entries({ a: A, b: B, c: C })) {
    stage.setRef(branch, commit);
    await stage.deliver('push', stage.pushed(branch, commit));
  }
  const start = stage.clock.now();
  await stage.worker();
  expect(await commits(stage)).toEqual([A, B]);
  const [job] = await waiting(stage);
  expect(job?.runAt).toBeGreaterThan(start + 20 * MINUTE);
  const asked = stage.asked.length;
  for (; stage.clock.now() < start + 121 * MINUTE; stage.clock.advance(MINUTE)) {
    for (const { attempt } of await waiting(stage)) expect(attempt).toBe(1);
    await stage.worker();
  }
  expect(await commits(stage)).toEqual([A, B, C]);
  expect(stage.asked.length - asked).toBeLessThan(5);
  expect(await fault(stage)).toBeUndefined();
});

test('a delivery that the owner’s limit keeps waiting for a day is given up, and its project says so', async () => {
  const stage = await gitStage({ limits: { all: { deploymentsPerHour: 0 }, owners: {} } });
  await stage.connect();
  stage.setRef('main', A);
  await stage.deliver('push', stage.pushed('main', A));
  const start = stage.clock.now();
  while ((await waiting(stage)).length > 0 && stage.clock.now() < start + 48 * 60 * MINUTE) {
    await stage.worker();
    stage.clock.advance(10 * MINUTE);
  }
  expect(stage.clock.now() - start).toBeGreaterThan(24 * 60 * MINUTE);
  expect(await waiting(stage)).toEqual([]);
  expect((await fault(stage)).message).toContain('over a limit');
});

test('a delivery that is given up stands in the project until a later one was followed', async () => {
  let isBroken = true;
  const stage = await gitStage({
    wrap: (port) =>
      'readTip' in port
        ? {
            ...port,
            readTip: async (...of: unknown[]) => {
              if (isBroken) throw new Error('secret of ours');
              return (port.readTip as (...of: unknown[]) => unknown)(...of);
            },
          }
        : port,
  });
  await stage.connect();
  stage.setRef('main', A);
  await stage.deliver('push', stage.pushed('main', A));
  for (let i = 0; i < 120 && (await waiting(stage)).length > 0; i++) {
    await stage.worker();
    stage.clock.advance(5 * MINUTE);
  }
  expect(await fault(stage)).toMatchObject({ code: 'GIT_DELIVERY_LOST' });
  expect((await fault(stage)).message).toContain('What github told on 2026-11-28T00:00:00.000Z was given up');
  expect((await fault(stage)).message).not.toContain('secret of ours');
  isBroken = false;
  await stage.deliver('push', stage.pushed('main', A));
  await stage.worker();
  expect(await commits(stage)).toEqual([A]);
  expect(await fault(stage)).toBeUndefined();
});
