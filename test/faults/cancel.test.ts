import { createHash } from 'node:crypto';
import type { Objects } from '../../builder-images/shared/object-calls.ts';
import { s3Objects } from '../../builder-images/shared/objects.ts';
import { claimPublication } from '../../builder-images/shared/verdict.ts';
import type { VerenError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { DEFAULT_REGION, s3Keys } from '../../contract/names.ts';
import type { Supersede } from '../../lambdas/domain/supersede.ts';
import type { DeploymentStore } from '../../lambdas/shared/ports.ts';
import type { ControlPlane } from '../support/controlPlane/controlPlane.ts';
import { gate, type Scene, type SceneSetting, scene as sceneIn } from '../support/controlPlane/scene.ts';
import type { Container } from '../support/controlPlane/simulatedEcs.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';
import { publishAsBuilder } from '../support/signing.ts';

let world: World;
let real: Objects;
beforeAll(async () => {
  world = await openWorld();
  const keys = { ...world.credentials.root, sessionToken: '' };
  real = s3Objects({ bucket: BUCKET, region: DEFAULT_REGION, endpoint: world.s3Url, ...keys });
});
afterAll(() => world.close());

const scene = (setting: SceneSetting, play: (s: Scene) => Promise<void>) => sceneIn(world, setting, play);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A page that says which deployment it is of, stored as the builder stores it. */
async function copyOf(projectId: string, deploymentId: string): Promise<Manifest> {
  const objects = [];
  for (const [path, contentType] of [
    [`${deploymentId}.js`, 'text/javascript'],
    ['index.html', 'text/html'],
  ] as const) {
    const text = `${path} of ${deploymentId}`;
    const key = s3Keys.deploymentFiles(projectId, deploymentId) + path;
    await real.put(key, Buffer.from(text), { contentType, sha256: sha256(text) });
    objects.push({ path, size: text.length, sha256: sha256(text), contentType, cacheControl: 'no-cache', key });
  }
  const createdAt = new Date().toISOString();
  const manifest: Manifest = {
    v: 1,
    projectId,
    deploymentId,
    attempt: 1,
    commit: 'c'.repeat(40),
    createdAt,
    files: 2,
    bytes: 1,
    objects,
  };
  await real.putIf(s3Keys.deploymentManifest(projectId, deploymentId), JSON.stringify(manifest), null);
  return manifest;
}

/** The builder's own promotion, deaf to SIGTERM: nothing but the verdict keeps it from publishing. */
const deafBuilder =
  (
    bus: () => ControlPlane['bus'],
    pause: (projectId: string, when: 'before claim' | 'after claim') => Promise<void>,
  ): Container =>
  async (env) => {
    const { PROJECT_ID: projectId = '', DEPLOYMENTID: deploymentId = '' } = env;
    await copyOf(projectId, deploymentId);
    const isVerdict = (key: string) => key === s3Keys.verdict(projectId, deploymentId, 'frontend');
    const objects: Objects = {
      ...real,
      async putIf(key, ...rest) {
        if (isVerdict(key)) await pause(projectId, 'before claim');
        const written = await real.putIf(key, ...rest);
        if (isVerdict(key)) await pause(projectId, 'after claim');
        return written;
      },
    };
    const say = async (body: object) => {
      const at = new Date().toISOString();
      const event = {
        v: 1,
        id: `${deploymentId}-frontend-1-ended`,
        at,
        deploymentId,
        projectId,
        target: 'frontend' as const,
        attempt: 1,
        ...body,
      };
      await publishAsBuilder(bus(), event);
    };
    try {
      await claimPublication(objects, { projectId, deploymentId, target: 'frontend' }, Date.now);
      const artifact = { kind: 'static', bucket: BUCKET, prefix: s3Keys.site(projectId), files: 2, bytes: 1 };
      await say({ type: 'build.succeeded', artifact, logLines: 0 });
      return 0;
    } catch (e) {
      const { code, message } = e as VerenError;
      await say({ type: 'build.failed', error: { code, message }, logLines: 0 });
      return 41;
    }
  };

const site = async (projectId: string) => {
  const keys = await real.list(s3Keys.site(projectId));
  return Promise.all(keys.map(async (key) => (await real.get(key))?.body.toString()));
};

describe('cancel against a builder that does not hear it', () => {
  test.each(['first', 'second'] as const)(
    'before the switch, its %s deployment: canceled, and never visible',
    async (which) => {
      const at = gate();
      const project = `before-${which}`;
      let deployments = 0;
      const container = (bus: () => ControlPlane['bus']) =>
        deafBuilder(bus, async (_, when) => {
          if (when === 'before claim' && ++deployments === (which === 'first' ? 1 : 2)) await at.pass();
        });
      await scene({ container }, async ({ plane, end, tasks }) => {
        const live: string[] = [];
        if (which === 'second') {
          live.push(await plane.deploy({ projectId: project }));
          await end(...live);
          await plane.idle();
        }
        const before = await site(project);
        const id = await plane.deploy({ projectId: project });
        await at.reached;
        expect((await plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
        at.open();
        await tasks(live.length + 1);
        const [record] = await end(id);
        expect(record).toMatchObject({ status: 'canceled', builds: { frontend: { status: 'canceled' } } });
        expect(record?.builds.frontend).not.toHaveProperty('artifact');
        await plane.idle();
        expect(await site(project)).toEqual(before);
        expect(before.length).toBe(live.length * 2);
      });
    },
  );

  test('after the switch has begun: the cancel is refused, and the build succeeds', async () => {
    const at = gate();
    const container = (bus: () => ControlPlane['bus']) =>
      deafBuilder(bus, async (_, when) => {
        if (when === 'after claim') await at.pass();
      });
    await scene({ container }, async ({ plane, end }) => {
      const id = await plane.deploy({ projectId: 'after' });
      await at.reached;
      const answer = await plane.call('POST', `/deployments/${id}/cancel`);
      expect([answer.status, answer.body.code]).toEqual([409, 'ALREADY_PUBLISHED']);
      at.open();
      expect((await end(id))[0]).toMatchObject({
        status: 'succeeded',
        builds: { frontend: { artifact: { kind: 'static' } } },
      });
      await plane.idle();
      expect(await site('after')).toHaveLength(2);
    });
  });
});

describe('what waits', () => {
  const limits = { global: 1, perOwner: 1, perProject: 1 };
  const push = (plane: ControlPlane, script: string, over: object = {}, how = {}) =>
    plane.deploy({ projectId: 'shop', ref: 'main', env: { DO: script }, ...over }, how);
  const ended = async (store: DeploymentStore, id: string) => {
    const { facts, record } = (await store.get(id))!;
    return facts.canceled
      ? { status: record.status, reason: facts.canceled.reason, by: facts.canceled.by }
      : record.status;
  };

  test('shows its place, and is gone when it is canceled: no task was ever started for it', () =>
    scene({ limits }, async ({ plane, ecs, end, tasks }) => {
      const running = await push(plane, 'hang');
      await tasks(1);
      const waiting = [];
      for (const ref of ['b', 'c', 'd']) {
        waiting.push(await push(plane, 'ok', { ref }));
        // Analyses run side by side: each in turn, so that their order is known.
        await plane.idle();
      }
      const place = async (id: string) => {
        const { body } = await plane.call('GET', `/deployments/${id}`);
        return (body.builds as { frontend: { position?: number } }).frontend.position;
      };
      expect(await Promise.all(waiting.map(place))).toEqual([1, 2, 3]);
      await plane.call('POST', `/deployments/${waiting[0]}/cancel`);
      await plane.idle();
      expect(await Promise.all(waiting.slice(1).map(place))).toEqual([1, 2]);
      await plane.call('POST', `/deployments/${running}/cancel`);
      const records = await end(running, ...waiting);
      expect(records.map((r) => r.status)).toEqual(['canceled', 'canceled', 'succeeded', 'succeeded']);
      expect(ecs.log.map((t) => t.env.DEPLOYMENTID)).toEqual([running, waiting[1], waiting[2]]);
    }));

  test('is superseded by a newer push to its branch, and by nothing else', () =>
    scene({ limits }, async ({ plane, store, end, tasks }) => {
      const running = await push(plane, 'hang');
      await tasks(1);
      const first = await push(plane, 'ok', {}, { key: 'first' });
      const other = await push(plane, 'ok', { ref: 'feature' });
      const elsewhere = await push(plane, 'ok', { projectId: 'blog' });
      const second = await push(plane, 'ok', {}, { key: 'second' });
      await plane.idle();
      expect(await ended(store, first)).toEqual({ status: 'canceled', reason: 'superseded', by: second });

      // The older push is sent again, by somebody who has not seen its answer: it must not end the newer one.
      expect(await push(plane, 'ok', {}, { key: 'first' })).toBe(first);
      // A commit is deployed again: no push is ended by it, and a push does not end it.
      const again = (await plane.call('POST', `/deployments/${running}/redeploy`)).body.deploymentId as string;
      expect(await push(plane, 'ok', {}, { key: 'second' })).toBe(second);
      await plane.idle();
      for (const id of [running, other, elsewhere, second, again])
        expect(await ended(store, id)).not.toHaveProperty('reason');

      await plane.call('POST', `/deployments/${running}/cancel`);
      await plane.idle();
      await plane.call('POST', `/deployments/${again}/cancel`);
      const records = await end(running, first, other, elsewhere, second);
      expect(records.map((r) => r.status)).toEqual(['canceled', 'canceled', 'succeeded', 'succeeded', 'succeeded']);
    }));

  test.each<[Supersede, string, number]>([
    ['waiting', 'building', 1],
    ['running', 'canceled', 2],
    ['off', 'building', 1],
  ])('setting "%s": a build that runs is then %s', (supersede, status, tasksInAll) =>
    scene({ limits, supersede }, async ({ plane, ecs, store, tasks }) => {
      const running = await push(plane, 'hang');
      await tasks(1);
      const newer = await push(plane, 'hang');
      await plane.idle();
      if (tasksInAll > 1) await tasks(tasksInAll);
      expect([(await store.get(running))?.record.status, ecs.log.length]).toEqual([status, tasksInAll]);
      if (supersede === 'running')
        expect(await ended(store, running)).toMatchObject({ reason: 'superseded', by: newer });
    }),
  );
});
