import type { DeploymentRecord } from '../../contract/record.ts';
import type { Role } from '../support/controlPlane/controlPlane.ts';
import { type Death, Killed } from '../support/controlPlane/life.ts';
import type { SimulatedEcs } from '../support/controlPlane/simulatedEcs.ts';
import { untilEnded } from '../support/controlPlane/untilEnded.ts';
import { atEveryStep, type Story, withDeath } from '../support/controlPlane/withDeath.ts';
import { openWorld, type World } from '../support/controlPlane/world.ts';
import { frontendPlan } from '../support/events.ts';

/**
 * Every function is killed once at every step it takes: before each call of a port or of AWS, and after the call was
 * carried out but before its answer is seen. The deployment must end as if nothing had happened.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** A branch that moves: each look at it finds another commit. */
function movingBranch() {
  let commits = 0;
  return async () => ({ ...frontendPlan(), commit: String(++commits).padStart(40, '0') });
}

const tell = <T>(role: Role, death: Death, story: (s: Story) => Promise<T>) =>
  withDeath(world, { role, death, analyze: movingBranch() }, story);
const tellAtEveryStep = (role: Role, story: (s: Story, at: string) => Promise<unknown>) =>
  atEveryStep((death, at) => tell(role, death, (s) => story(s, at)));

const tokens = (ecs: SimulatedEcs) => ecs.log.map((task) => task.token.replace(/^\w+-/, ''));

/** What was built, and what the record says was built. */
const commits = (ecs: SimulatedEcs, record: DeploymentRecord | undefined) =>
  [...new Set([record?.commit, ...ecs.log.map((task) => task.env.GIT_COMMIT)])].length;

test.each<[Role, number]>([
  ['clone-worker', 14],
  ['build-worker', 16],
  ['event-projector', 6],
])(
  '%s: succeeded by its one task',
  async (role, atLeast) => {
    const steps = await tellAtEveryStep(role, async ({ plane, ecs, advance }, at) => {
      const id = await plane.deploy({ projectId: 'site' });
      const [record] = await untilEnded(plane, [id], { advance, stepMs: 30_000 });
      expect({ at, status: record?.status, tasks: tokens(ecs), commits: commits(ecs, record) }).toEqual({
        at,
        status: 'succeeded',
        tasks: ['frontend-1-0'],
        commits: 1,
      });
    });
    expect(steps).toBeGreaterThanOrEqual(atLeast);
  },
  300_000,
);

test('task-watcher: after a lost word, retried once', async () => {
  const steps = await tellAtEveryStep('task-watcher', async ({ plane, ecs, advance }, at) => {
    const id = await plane.deploy({ projectId: 'site', env: { DO: 'exit:1,silent' } });
    const [record] = await untilEnded(plane, [id], { advance, stepMs: 10_000 });
    expect({ at, status: record?.status, tasks: tokens(ecs), attempt: record?.builds.frontend?.attempt }).toEqual({
      at,
      status: 'succeeded',
      tasks: ['frontend-1-0', 'frontend-2-0'],
      attempt: 2,
    });
  });
  expect(steps).toBeGreaterThanOrEqual(10);
}, 300_000);

test('api, asked again with the same key: accepted once, and built once', async () => {
  const steps = await tellAtEveryStep('api', async ({ plane, ecs, advance }, at) => {
    const ask = () =>
      plane.deploy({ projectId: 'site' }, { key: 'push-1' }).catch((e: Error) => {
        if (!(e instanceof Killed)) throw e;
        return null;
      });
    // A repeat takes other steps than the first call, so either may be the one that dies.
    const answers = [await ask(), await ask(), await ask()].filter((id) => id !== null);
    expect([answers.length >= 2, new Set(answers).size]).toEqual([true, 1]);
    const id = answers[0]!;
    const [record] = await untilEnded(plane, [id], { advance, stepMs: 30_000 });
    const { body } = await plane.call('GET', '/deployments');
    const known = (body.items as { deploymentId: string }[]).map((d) => d.deploymentId);
    expect({ at, status: record?.status, tasks: tokens(ecs), known }).toEqual({
      at,
      status: 'succeeded',
      tasks: ['frontend-1-0'],
      known: [id],
    });
  });
  expect(steps).toBeGreaterThanOrEqual(10);
}, 300_000);

test('cancel of a running build, killed at every step and asked again: canceled, stopped, nothing published', async () => {
  let cancels = 0;
  const steps = await tellAtEveryStep('build-worker', async ({ plane, ecs, advance }, at) => {
    const id = await plane.deploy({ projectId: 'site', env: { DO: 'hang' } });
    await plane.idle();
    expect((await plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
    cancels++;
    const [record] = await untilEnded(plane, [id], { advance, stepMs: 30_000 });
    for (let i = 0; i < 12; i++) {
      advance(60_000);
      await plane.watch();
      await plane.idle();
    }
    const running = ecs.log.filter((task) => task.stoppedAs === undefined).length;
    expect({ at, status: record?.status, running, tasks: ecs.log.length <= 1 }).toEqual({
      at,
      status: 'canceled',
      running: 0,
      tasks: true,
    });
  });
  expect(cancels).toBeGreaterThan(steps);
}, 300_000);
