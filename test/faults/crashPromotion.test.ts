import { GetObjectCommand } from '@aws-sdk/client-s3';
import { PromotionSchema, VerdictSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { Plan } from '../../contract/plan.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { type ControlPlane, controlPlane, type Role } from '../support/controlPlane/controlPlane.ts';
import { type Death, type Life, life } from '../support/controlPlane/life.ts';
import type { SimulatedEcs } from '../support/controlPlane/simulatedEcs.ts';
import { untilEnded } from '../support/controlPlane/untilEnded.ts';
import { BUCKET, movableClock, openWorld, type World } from '../support/controlPlane/world.ts';
import { backendPlan, frontendPlan } from '../support/events.ts';

/**
 * A frontend and a backend: the site waits for the backend, and the platform promotes it. Every function is killed once at
 * every step that it takes meanwhile, and what is seen in the end is the same.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const both = (): Plan => ({ ...frontendPlan(), ...backendPlan() });

async function read(key: string): Promise<string | null> {
  try {
    return await (await world.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))).Body!.transformToString();
  } catch {
    return null;
  }
}
/** Which deployment the site shows, by its page and by the record of promotions. */
async function shown(projectId: string) {
  const page = await read(`${s3Keys.site(projectId)}index.html`);
  const promotion = await read(s3Keys.promotion(projectId));
  return {
    page: page && (JSON.parse(page) as { deploymentId: string }).deploymentId,
    live: promotion && PromotionSchema.parse(JSON.parse(promotion)).live,
  };
}
const verdictOf = async (projectId: string, id: string) => {
  const verdict = await read(s3Keys.verdict(projectId, id, 'frontend'));
  return verdict && VerdictSchema.parse(JSON.parse(verdict)).verdict;
};

interface Story {
  readonly plane: ControlPlane;
  readonly ecs: SimulatedEcs;
  readonly advance: (ms: number) => void;
  readonly project: string;
}
let serial = 0;

async function tell<T>(role: Role | null, death: Death | undefined, story: (s: Story) => Promise<T>) {
  const clock = movableClock();
  const ports = await openMemoryPlatform({ clock });
  const doomed: Life[] = [];
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
    { now: clock.now },
  );
  const plane = controlPlane({
    storage: ports,
    clock,
    ...world.around(ecs),
    analyze: async () => both(),
    lives(of) {
      if (of !== role || doomed.some((l) => l.killed)) return life();
      const next = life(death);
      doomed.push(next);
      return next;
    },
  });
  try {
    const result = await story({ plane, ecs, advance: clock.advance, project: `both-${serial++}` });
    await plane.idle();
    return { result, died: doomed.some((l) => l.killed) };
  } finally {
    await plane.idle();
    await plane.close();
    await ports.close();
  }
}

async function atEveryStep(role: Role, story: (s: Story, at: string) => Promise<unknown>): Promise<number> {
  let steps = 0;
  for (const when of ['before', 'after'] as const)
    for (let step = 1; ; step++) {
      const { died } = await tell(role, { step, when }, (s) => story(s, `killed ${when} step ${step}`));
      if (!died) break;
      steps++;
    }
  return steps;
}

test.each<[Role, number]>([
  ['build-worker', 20],
  ['event-projector', 6],
  ['task-watcher', 6],
])(
  '%s: both parts built, the site is shown once',
  async (role, atLeast) => {
    const steps = await atEveryStep(role, async ({ plane, ecs, advance, project }, at) => {
      const id = await plane.deploy({ projectId: project });
      const [record] = await untilEnded(plane, [id], { advance, stepMs: 30_000 });
      const tasks = ecs.log.map((task) => task.token.replace(/^\w+-/, '')).sort();
      expect({ at, status: record?.status, outcome: record?.outcome, tasks, ...(await shown(project)) }).toEqual({
        at,
        status: 'succeeded',
        outcome: 'complete',
        tasks: ['backend-1-0', 'frontend-1-0'],
        page: id,
        live: id,
      });
    });
    expect(steps).toBeGreaterThanOrEqual(atLeast);
  },
  900_000,
);

test('the word of a stored site is lost: the task-watcher finds what was stored, and it is shown', async () => {
  await tell(null, undefined, async ({ plane, ecs, advance, project }) => {
    const id = await plane.deploy({ projectId: project, env: { DO: 'silent' } });
    const [record] = await untilEnded(plane, [id], { advance, stepMs: 20_000 });
    expect([record?.status, ecs.log.length, (await shown(project)).page]).toEqual(['succeeded', 2, id]);
  });
});

test('the backend fails: nothing is shown, nobody has claimed it, and the record says why', async () => {
  const failing = { DO_BACKEND: 'says:BUILD_FAILED' };
  await tell(null, undefined, async ({ plane, advance, project }) => {
    const first = await plane.deploy({ projectId: project });
    await untilEnded(plane, [first], { advance });
    const second = await plane.deploy({ projectId: project, env: failing });
    const [record] = await untilEnded(plane, [second], { advance });
    expect(record).toMatchObject({
      status: 'failed',
      outcome: 'none',
      builds: { frontend: { status: 'canceled', error: { code: 'OTHER_PART_FAILED' } }, backend: { status: 'failed' } },
    });
    expect(await shown(project)).toEqual({ page: first, live: first });
    expect(await verdictOf(project, second)).toBeNull();
  });
  await tell(null, undefined, async ({ plane, advance, project }) => {
    const id = await plane.deploy({ projectId: project, env: failing, publication: 'independent' });
    const [record] = await untilEnded(plane, [id], { advance });
    expect(record).toMatchObject({
      status: 'failed',
      outcome: 'partial',
      builds: { frontend: { status: 'succeeded' } },
    });
    expect((await shown(project)).live).toBe(id);
  });
});

test('a cancel while the site waits: it is never shown, and both tasks are gone', async () => {
  await tell(null, undefined, async ({ plane, ecs, advance, project }) => {
    const id = await plane.deploy({ projectId: project, env: { DO_BACKEND: 'hang' } });
    for (let i = 0; i < 100 && !(await plane.record(id)).builds.frontend?.stored; i++)
      await new Promise((r) => setTimeout(r, 20));
    expect((await plane.record(id)).builds.frontend).toMatchObject({ status: 'building', stored: true });
    expect((await plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
    const [record] = await untilEnded(plane, [id], { advance });
    expect(record).toMatchObject({ status: 'canceled', outcome: 'none' });
    for (let i = 0; i < 5; i++) {
      advance(60_000);
      await plane.watch();
      await plane.idle();
    }
    expect(await shown(project)).toEqual({ page: null, live: null });
    expect(await verdictOf(project, id)).toBe('cancel');
    expect(ecs.log.filter((task) => task.stoppedAs === undefined)).toEqual([]);
  });
});

test('an older deployment whose backend takes longer does not replace a newer one', async () => {
  await tell(null, undefined, async ({ plane, advance, project }) => {
    const older = await plane.deploy({ projectId: project, env: { DO_BACKEND: 'exit:1,spot,ok' }, ref: 'a' });
    const newer = await plane.deploy({ projectId: project, ref: 'b' });
    const [first, second] = await untilEnded(plane, [older, newer], { advance, stepMs: 20_000 });
    expect([first?.status, second?.status]).toEqual(['succeeded', 'succeeded']);
    expect(await shown(project)).toEqual({ page: newer, live: newer });
  });
});
