import { processScene, type Scene, type Setting, told } from '../support/controlPlane/processScene.ts';
import { openWorld, type World } from '../support/controlPlane/world.ts';

/** How tasks end, and how clocks differ: as `starts.test.ts`. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const scene = (setting: Setting, play: (s: Scene) => Promise<void>) => processScene(world, setting, play);

describe('a task that ends', () => {
  test.each<[string, string, string, number]>([
    ['well, and its last event is lost', 'silent', 'succeeded 1 artifact', 1],
    ['with a user’s exit code, and its last event is lost', 'exit:22', 'failed 1 BUILD_FAILED', 1],
    ['out of nowhere, once', 'exit:1,ok', 'succeeded 2 artifact', 2],
    ['out of nowhere, always', 'exit:1', 'failed 3 RETRIES_EXHAUSTED', 3],
    ['saying that publishing failed, once', 'says:PUBLISH_FAILED/30,ok', 'succeeded 2 artifact', 2],
    ['saying that publishing failed, always', 'says:PUBLISH_FAILED/30', 'failed 3 RETRIES_EXHAUSTED', 3],
    ['saying that the build failed', 'says:BUILD_FAILED/22', 'failed 1 BUILD_FAILED', 1],
    ['stopped by nobody that we know, once', 'says:BUILD_STOPPED/143,ok', 'succeeded 2 artifact', 2],
  ])('%s', (_, script, expected, tasks) =>
    scene({}, async (s) => {
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: script } }));
      expect([told(record), s.tasks.length]).toEqual([expected, tasks]);
    }),
  );

  test('without any state change: the sweep finds all of it', () =>
    scene({ deaf: true }, async (s) => {
      const ids = await Promise.all(
        ['silent', 'exit:22', 'ok'].map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
      );
      expect((await s.end(...ids)).map(told)).toEqual([
        'succeeded 1 artifact',
        'failed 1 BUILD_FAILED',
        'succeeded 1 artifact',
      ]);
    }));

  test('with every state change three times at once', () =>
    scene({ repeated: true }, async (s) => {
      const ids = await Promise.all(
        ['exit:1,ok', 'ok'].map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
      );
      expect((await s.end(...ids)).map(told)).toEqual(['succeeded 2 artifact', 'succeeded 1 artifact']);
      expect(s.tasks.length).toBe(3);
    }));

  test('never: it is stopped after its time, and fails for that', () =>
    scene({ timeoutSeconds: 60 }, async (s) => {
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: 'hang' } }));
      expect([told(record), s.tasks.length]).toEqual(['failed 1 TASK_TIMEOUT', 1]);
    }));

  test('in word only: it is stopped, and the next build of its project need not wait for the time limit', () =>
    scene({ timeoutSeconds: 86_400 }, async (s) => {
      const first = await s.plane.deploy({ projectId: 'site', env: { DO: 'stays' } });
      expect((await s.end(first)).map(told)).toEqual(['succeeded 1 artifact']);
      expect(s.tasks.map((t) => t.stopped)).toEqual([false]);
      const second = await s.plane.deploy({ projectId: 'site', env: { DO: 'ok' } });
      expect((await s.end(first, second)).map(told)).toEqual(['succeeded 1 artifact', 'succeeded 1 artifact']);
    }));

  test('in word only, and with a failure that is worth another try: it is stopped, and tried again', () =>
    scene({ timeoutSeconds: 86_400 }, async (s) => {
      const id = await s.plane.deploy({ projectId: 'site', env: { DO: 'says:PUBLISH_FAILED/stays,ok' } });
      expect((await s.end(id)).map(told)).toEqual(['succeeded 2 artifact']);
    }));

  test('on Spot first, on demand afterwards', () =>
    scene({ spot: true }, async (s) => {
      const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: 'exit:1,ok' } }));
      expect(told(record)).toBe('succeeded 2 artifact');
      expect(s.tasks.map((t) => t.capacityProvider)).toEqual(['FARGATE_SPOT', 'FARGATE']);
    }));
});

describe('clocks that differ by minutes', () => {
  test.each([-240_000, 240_000])(
    'the functions are %d ms off: the same ends',
    (skew) =>
      scene({ skew }, async (s) => {
        const scripts = ['ok', 'silent', 'exit:1,ok', 'says:PUBLISH_FAILED/30,ok', 'exit:22'];
        const ids = await Promise.all(
          scripts.map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
        );
        expect((await s.end(...ids)).map(told)).toEqual([
          'succeeded 1 artifact',
          'succeeded 1 artifact',
          'succeeded 2 artifact',
          'succeeded 2 artifact',
          'failed 1 BUILD_FAILED',
        ]);
        expect(s.tasks.length).toBe(7);
      }),
    60_000,
  );

  test.each([-240_000, 240_000])('canceled with %d ms off: canceled it stays', (skew) =>
    scene({ skew }, async (s) => {
      const id = await s.plane.deploy({ projectId: 'site', env: { DO: 'hang' } });
      while (s.tasks.length === 0) await new Promise((r) => setTimeout(r, 20));
      expect((await s.plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
      const [record] = await s.end(id);
      expect(told(record)).toBe('canceled 1 nothing');
      while (s.tasks.some((t) => !t.stopped)) await new Promise((r) => setTimeout(r, 20));
      await s.plane.idle();
      expect(told(await s.plane.record(id))).toBe('canceled 1 nothing');
    }),
  );
});
