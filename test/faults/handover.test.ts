import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { openHandover } from '../../builder-images/shared/open-handover.ts';
import { ERRORS } from '../../contract/errors.ts';
import { HANDOVER_PREFIX } from '../../contract/names.ts';
import { type SceneSetting, scene } from '../support/controlPlane/scene.ts';
import type { Container } from '../support/controlPlane/simulatedEcs.ts';
import { standIn } from '../support/controlPlane/standIn.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';

jest.setTimeout(60_000); // tasks that are tried again, on a machine that may have other work

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const SECRETS = { variable: 'value-of-a-secret-variable', gitToken: 'token-of-a-private-repository' };
const kept = async (projectId: string) => {
  const Prefix = `${HANDOVER_PREFIX}${projectId}/`;
  const { Contents = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
  return Contents.map(({ Key = '' }) => Key.slice(Key.lastIndexOf('.')));
};
/** What happens to each attempt's hand-over before its builder looks. */
const before =
  (meet: (url: string, attempt: number) => Promise<number | undefined>): SceneSetting['container'] =>
  (bus): Container => {
    const builder = standIn({ bus: { publish: (...m) => bus().publish(...m) }, s3: world.s3, bucket: BUCKET });
    return async (env, signal) => (await meet(env.HANDOVER_URL ?? '', Number(env.ATTEMPT))) ?? builder(env, signal);
  };

describe('what a task is given', () => {
  test('no secret is in what everybody may see of a task; the builder has it, and nothing stays', () =>
    scene(world, {}, async ({ plane, ecs, end }) => {
      const { variable, gitToken } = SECRETS;
      const id = await plane.deploy({ projectId: 'plain', env: { SECRET: variable, DO: 'ok' }, gitToken });
      expect((await end(id))[0]?.status).toBe('succeeded');
      expect(ecs.log).toHaveLength(1);
      const { env } = ecs.log[0]!;
      expect(env).toMatchObject({ PROJECT_ID: 'plain', DEPLOYMENTID: id, ATTEMPT: '1' });
      const seen = JSON.stringify(ecs.log);
      for (const secret of Object.values(SECRETS)) expect(seen).not.toContain(secret);
      expect(seen).not.toMatch(/BUILD_ENV|SECRET_ACCESS_KEY|SESSION_TOKEN|GIT_TOKEN|PASSWORD|SIGNING_KEY/);
      expect(await kept('plain')).toEqual(['.claimed']);
    }));

  test('somebody has read and claimed it before: the build ends, and is not tried again', () => {
    const container = before(async (url) => {
      await (await openHandover({ HANDOVER_URL: url })).claimed;
      return openHandover({ HANDOVER_URL: url }).then(
        () => 0,
        (e) => ERRORS[e.code as 'HANDOVER_TAKEN'].exitCode,
      );
    });
    return scene(world, { ...(container && { container }) }, async ({ plane, ecs, end }) => {
      const [record] = await end(await plane.deploy({ projectId: 'taken' }));
      expect(record?.builds.frontend).toMatchObject({ status: 'failed', error: { code: 'HANDOVER_TAKEN' } });
      expect(ecs.log).toHaveLength(1);
    });
  });

  test('one that could not be read is followed by another attempt with another', () => {
    const urls: string[] = [];
    const container = before(async (url, attempt) => {
      urls.push(url);
      return attempt === 1 ? ERRORS.HANDOVER_UNREADABLE.exitCode : undefined;
    });
    return scene(world, { ...(container && { container }) }, async ({ plane, end }) => {
      const [record] = await end(await plane.deploy({ projectId: 'again' }));
      expect(record?.builds.frontend).toMatchObject({ status: 'succeeded', attempt: 2 });
      expect(new Set(urls.map((url) => new URL(url).pathname)).size).toBe(2);
    });
  });

  test('of a task that ECS refuses nothing stays', () => {
    world.faults.ecs = (operation) => (operation === 'RunTask' ? 'no-capacity' : undefined);
    return scene(world, {}, async ({ plane, ecs }) => {
      const id = await plane.deploy({ projectId: 'refused' });
      await plane.idle();
      world.faults.ecs = undefined;
      expect(ecs.log).toEqual([]);
      expect(await kept('refused')).toEqual([]);
      await plane.call('POST', `/deployments/${id}/cancel`);
    });
  });
});
