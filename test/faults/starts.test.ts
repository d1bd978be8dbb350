import { ServiceError } from '../../local/awsProtocol/serviceError.ts';
import type { EcsFault } from '../../local/ecs/endpoint.ts';
import { of, processScene, type Scene, type Setting, told } from '../support/controlPlane/processScene.ts';
import { openWorld, type World } from '../support/controlPlane/world.ts';

/**
 * Each fault through the real SDK against `local/ecs`, where a task is a process (`stand-in.mjs`). What is asserted: the end
 * of every deployment, and the task log of ECS: one task per attempt, and never more at once than the limits allow.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const scene = (setting: Setting, play: (s: Scene) => Promise<void>) => processScene(world, setting, play);
const firstCalls = (operation: string, n: number, fault: EcsFault) => (op: string, call: number) =>
  op === operation && call <= n ? fault : undefined;

describe('ECS, when a task is to be started', () => {
  test.each<[string, Setting, string[]]>([
    ['answers 500 for a while', { fault: firstCalls('RunTask', 7, 'error500') }, ['frontend-1-0']],
    ['throttles for a while', { fault: firstCalls('RunTask', 7, 'throttle') }, ['frontend-1-0']],
    [
      'starts the task and loses the answer',
      { fault: firstCalls('RunTask', 1, 'timeout-after-start') },
      ['frontend-1-0'],
    ],
    [
      'loses every answer of a call and of its repeats',
      { fault: firstCalls('RunTask', 3, 'timeout-after-start') },
      ['frontend-1-0'],
    ],
    [
      'loses the answer, then throttles: the throttled repeat must not count as "nothing was started"',
      {
        fault: (op, n) =>
          op !== 'RunTask' ? undefined : n === 1 ? 'timeout-after-start' : n < 6 ? 'throttle' : undefined,
      },
      ['frontend-1-0'],
    ],
    [
      'has no capacity twice',
      { fault: firstCalls('RunTask', 2, { failures: [{ reason: 'Capacity is unavailable at this time' }] }) },
      ['frontend-1-2'],
    ],
  ])('%s', (_, setting, expected) =>
    scene(setting, async (s) => {
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
      expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', expected]);
    }),
  );

  test('never answers RunTask, though it starts the task: found by its token', () =>
    scene({ fault: (op) => (op === 'RunTask' ? 'timeout-after-start' : undefined), deaf: true }, async (s) => {
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
      expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', ['frontend-1-0']]);
    }));

  test.each<[string, EcsFault, string]>([
    ['throttles', 'throttle', 'ThrottlingException'],
    ['answers 500', 'error500', 'ServerException'],
    ['has no capacity', { failures: [{ reason: 'RESOURCE:FARGATE' }] }, 'RESOURCE:FARGATE'],
  ])(
    '%s for ever: fails after bounded attempts with a sentence, and nothing was started',
    (_, fault, reason) =>
      scene({ fault: (op) => (op === 'RunTask' ? fault : undefined), sdkAttempts: 1 }, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['failed 3 RETRIES_EXHAUSTED', []]);
        expect(record?.error?.message).toContain(reason);
      }),
    60_000,
  );

  test('an answer is lost while the limit is one: the slot stays taken, no other build starts beside it', () =>
    scene(
      { fault: firstCalls('RunTask', 3, 'timeout-after-start'), limits: { global: 1, perOwner: 1, perProject: 1 } },
      async (s) => {
        const ids = await Promise.all(['a', 'b', 'c'].map((projectId) => s.plane.deploy({ projectId })));
        const records = await s.end(...ids);
        expect(records.map(told)).toEqual(Array(3).fill('succeeded 1 artifact'));
        expect([s.tasks.length, s.peak()]).toEqual([3, 1]);
      },
    ));
});

describe('STS', () => {
  const refuse = (times: number) => {
    let n = 0;
    world.faults.sts = () => (n++ < times ? new ServiceError('AccessDenied', 403, 'not now') : undefined);
  };
  test('refuses for a while: nothing was started meanwhile, then one task', () =>
    scene({}, async (s) => {
      refuse(4);
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
      expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', ['frontend-1-0']]);
    }));

  test(
    'refuses for ever: a reason, no task',
    () =>
      scene({}, async (s) => {
        refuse(Number.POSITIVE_INFINITY);
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['failed 3 RETRIES_EXHAUSTED', []]);
        expect(record?.error?.message).toMatch(/credentials/i);
      }),
    60_000,
  );
});

test(
  'twelve pushes at once, with limits: nothing lost, one task each, never more at once than allowed',
  () =>
    scene({ limits: { global: 3, perOwner: 2, perProject: 1 } }, async (s) => {
      const ids = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          s.plane.deploy({ projectId: `p${i % 5}-${i % 2}`, ref: `branch-${i}` }, { owner: i % 2 ? 'bob' : 'ada' }),
        ),
      );
      const records = await s.end(...ids);
      expect(records.map(told)).toEqual(ids.map(() => 'succeeded 1 artifact'));
      expect([s.tasks.length, s.peak() <= 3]).toEqual([12, true]);
    }),
  60_000,
);
