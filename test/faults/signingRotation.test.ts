import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { buildKey } from '../../lambdas/shared/signing.ts';
import { signingSecret } from '../../lambdas/shared/signingSecret.ts';
import { gate, scene } from '../support/controlPlane/scene.ts';
import { standIn } from '../support/controlPlane/standIn.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';
import { publishAsBuilder } from '../support/signing.ts';

const [OLD, NEW, FOREIGN] = ['old', 'new', 'foreign'].map((name) => name.padEnd(64, '.')) as [string, string, string];
const only = (current: string) => ({ current, accepted: [] });

/** The secret as docs/operations.md has it changed, step by step; every function reads it again each time. */
function changingSecret() {
  const secret: { value: { current: string; accepted?: string[] } } = { value: { current: OLD } };
  let minute = 0;
  const client = { send: async () => ({ SecretString: JSON.stringify(secret.value) }) };
  const read = signingSecret(client as unknown as SecretsManagerClient, 'arn', { now: () => 60_000 * minute++ });
  return { secret, signing: async () => ({ ...(await read()), since: 0 }) };
}

describe('the signing secret is changed while builds are under way', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  test('what is under way ends as it would have, what is forged never counts, the old secret is worth nothing after', async () => {
    const { secret, signing } = changingSecret();
    const gates = new Map(['first', 'second', 'third', 'control'].map((projectId) => [projectId, gate()]));
    const container: NonNullable<Parameters<typeof scene>[1]['container']> = (bus) => {
      const builder = standIn({ bus: { publish: (...m) => bus().publish(...m) }, s3: world.s3, bucket: BUCKET });
      return async (env, signal) => {
        await gates.get(env.PROJECT_ID!)!.pass();
        return builder(env, signal);
      };
    };
    await scene(world, { signing, container }, async ({ plane, end }) => {
      const start = async (projectId: string) => {
        const id = await plane.deploy({ projectId });
        await gates.get(projectId)!.reached;
        await plane.idle();
        return id;
      };
      /** Says that this build has failed. */
      const forge = async (deploymentId: string, projectId: string, key: string) => {
        const build = { deploymentId, target: 'frontend' as const, attempt: 1 };
        await publishAsBuilder(
          plane.bus,
          {
            ...{ v: 1, id: `${deploymentId}-frontend-1-ended`, at: new Date().toISOString(), projectId, ...build },
            ...{ type: 'build.failed', error: { code: 'BUILD_FAILED', message: 'forged' }, logLines: 0 },
          } as typeof build,
          key,
        );
        await plane.idle();
        return (await plane.record(deploymentId)).status;
      };
      const finish = async (projectId: string, id: string) => {
        gates.get(projectId)!.open();
        return (await end(id))[0]!.status;
      };
      const keyOf = (value: string, deploymentId: string) =>
        buildKey(only(value), { deploymentId, target: 'frontend', attempt: 1 });

      const first = await start('first');
      secret.value = { current: OLD, accepted: [NEW] };
      const second = await start('second');
      secret.value = { current: NEW, accepted: [OLD] };
      expect(await forge(first, 'first', keyOf(FOREIGN, first))).toBe('building');
      expect(await forge(first, 'first', keyOf(NEW, second))).toBe('building');
      expect(await forge(first, 'first', keyOf(OLD, second))).toBe('building');
      expect(await finish('first', first)).toBe('succeeded');
      expect(await finish('second', second)).toBe('succeeded');

      const third = await start('third');
      secret.value = { current: NEW };
      expect(await forge(third, 'third', keyOf(OLD, third))).toBe('building');
      expect(await finish('third', third)).toBe('succeeded');
      // The same message with the build's own key is heard.
      const control = await start('control');
      expect(await forge(control, 'control', keyOf(NEW, control))).toBe('failed');
      await finish('control', control);
    });
  });

  test('without the step in between a build that is under way is not heard, and its exit code ends it', async () => {
    const { secret, signing } = changingSecret();
    const paused = gate();
    await scene(
      world,
      {
        signing,
        container: (bus) => {
          const builder = standIn({ bus: { publish: (...m) => bus().publish(...m) }, s3: world.s3, bucket: BUCKET });
          return async (env, signal) => {
            await paused.pass();
            return builder(env, signal);
          };
        },
      },
      async ({ plane, end }) => {
        const id = await plane.deploy({ projectId: 'fourth' });
        await paused.reached;
        await plane.idle();
        secret.value = { current: NEW };
        paused.open();
        const [record] = await end(id);
        expect([record!.status, record!.builds.frontend?.attempt]).toEqual(['succeeded', 1]);
      },
    );
  });
});
