import type { Plan } from '../../contract/plan.ts';
import { scene } from '../support/controlPlane/scene.ts';
import { openWorld, type World } from '../support/controlPlane/world.ts';
import { backendPlan, frontendPlan } from '../support/events.ts';

/**
 * A log without a second copy loses what it has acknowledged, with its disk: here each message of a deployment, and each
 * two in a row. The deployment must end as if nothing had been lost.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** The builders are the same for both, so pairs are lost of the first alone. */
const plans: [string, () => Plan, number[]][] = [
  ['a site', frontendPlan, [1, 2]],
  ['a site and a backend', () => ({ ...frontendPlan(), ...backendPlan() }), [1]],
];
/** The image that the stand-in has pushed: it is asked for when a task has ended well. */
const findImage = async (tag: string) => ({
  ...{ kind: 'image' as const, uri: `registry.example/my-backend:${tag}` },
  ...{ digest: `sha256:${'0'.repeat(64)}`, bytes: 1 },
});

test.each(plans)(
  '%s: whatever event is lost, it succeeds by its one task',
  async (_, plan, lengths) => {
    const lost = new Set<string>();
    for (const length of lengths)
      for (let first = 1, more = true; more; first++) {
        let events = 0;
        const loses = (messages: readonly { readonly value: string }[]) => {
          const isLost = ++events >= first && events < first + length;
          if (isLost) for (const { value } of messages) lost.add(JSON.parse(value).type);
          return isLost;
        };
        const setting = { loses, findImage, stepMs: 15_000, analyze: async () => plan() };
        await scene(world, setting, async ({ plane, ecs, end }) => {
          const [record] = await end(await plane.deploy({ projectId: 'site' }));
          await plane.idle();
          const at = `${length} lost from the ${first}. on`;
          expect({ at, status: record?.status, error: record?.error, tasks: ecs.log.length }).toEqual({
            at,
            status: 'succeeded',
            error: undefined,
            tasks: Object.keys(record?.builds ?? {}).length,
          });
        });
        more = events >= first + length;
      }
    expect([...lost]).toEqual(
      expect.arrayContaining(['deployment.requested', 'deployment.analyzed', 'build.started', 'build.succeeded']),
    );
  },
  300_000,
);
