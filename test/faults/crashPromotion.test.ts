import { GetObjectCommand } from '@aws-sdk/client-s3';
import { PromotionSchema, VerdictSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { Plan } from '../../contract/plan.ts';
import type { Role } from '../support/controlPlane/controlPlane.ts';
import type { Death } from '../support/controlPlane/life.ts';
import { untilEnded } from '../support/controlPlane/untilEnded.ts';
import { atEveryStep, type Story, withDeath } from '../support/controlPlane/withDeath.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';
import { backendPlan, frontendPlan } from '../support/events.ts';

/**
 * A frontend and a backend: the site waits for the backend, and the platform releases it. Every function is killed once at
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
/** Which deployment production shows, by its route, and the copy that follows it. */
async function look({ plane, project }: PromotionStory) {
  const [route, page, promotion] = await Promise.all([
    plane.sites.find(project),
    read(`${s3Keys.site(project)}index.html`),
    read(s3Keys.promotion(project)),
  ]);
  return {
    page: page && (JSON.parse(page) as { deploymentId: string }).deploymentId,
    live: promotion && PromotionSchema.parse(JSON.parse(promotion)).live,
    route: route?.deploymentId ?? null,
  };
}
/** What is shown once everything has followed. */
async function shown(story: PromotionStory) {
  for (let i = 0; i < 6; i++) {
    await story.plane.idle();
    const { page, live, route } = await look(story);
    if (route !== null && page === route && live === route) break;
    // Leases of who has died end, and pauses before another try.
    story.advance(130_000);
    await story.plane.watch();
  }
  return look(story);
}
const verdictOf = async (projectId: string, id: string) => {
  const verdict = await read(s3Keys.verdict(projectId, id, 'frontend'));
  return verdict && VerdictSchema.parse(JSON.parse(verdict)).verdict;
};

/** A story takes seconds here: it goes on until everything has followed. */
const STRIDE = 4;

type PromotionStory = Story & { readonly project: string };
let serial = 0;

const tell = <T>(role: Role | null, death: Death | undefined, story: (s: PromotionStory) => Promise<T>) =>
  withDeath(world, { role, death, analyze: async () => both() }, (s) => story({ ...s, project: `both-${serial++}` }));
const tellAtEveryStep = (role: Role, story: (s: PromotionStory, at: string) => Promise<unknown>) =>
  atEveryStep((death, at) => tell(role, death, (s) => story(s, at)), STRIDE);

test.each<[Role, number]>([
  ['build-worker', 20],
  ['event-projector', 6],
  ['task-watcher', 6],
])(
  '%s: both parts built, the site is shown once',
  async (role, atLeast) => {
    const steps = await tellAtEveryStep(role, async (told, at) => {
      const { plane, ecs, advance, project } = told;
      const id = await plane.deploy({ projectId: project });
      const [record] = await untilEnded(plane, [id], { advance, stepMs: 30_000 });
      const tasks = ecs.log.map((task) => task.token.replace(/^\w+-/, '')).sort();
      expect({ at, status: record?.status, outcome: record?.outcome, tasks, ...(await shown(told)) }).toEqual({
        at,
        status: 'succeeded',
        outcome: 'complete',
        tasks: ['backend-1-0', 'frontend-1-0'],
        page: id,
        live: id,
        route: id,
      });
    });
    expect(steps).toBeGreaterThanOrEqual(atLeast);
  },
  900_000,
);

test('the word of a stored site is lost: the task-watcher finds what was stored, and it is shown', async () => {
  await tell(null, undefined, async (told) => {
    const { plane, ecs, advance, project } = told;
    const id = await plane.deploy({ projectId: project, env: { DO: 'silent' } });
    const [record] = await untilEnded(plane, [id], { advance, stepMs: 20_000 });
    expect([record?.status, ecs.log.length, (await shown(told)).page]).toEqual(['succeeded', 2, id]);
  });
});

test('the backend fails: nothing is shown, nobody has claimed it, and the record says why', async () => {
  const failing = { DO_BACKEND: 'says:BUILD_FAILED' };
  await tell(null, undefined, async (told) => {
    const { plane, advance, project } = told;
    const first = await plane.deploy({ projectId: project });
    await untilEnded(plane, [first], { advance });
    const second = await plane.deploy({ projectId: project, env: failing });
    const [record] = await untilEnded(plane, [second], { advance });
    expect(record).toMatchObject({
      status: 'failed',
      outcome: 'none',
      builds: { frontend: { status: 'canceled', error: { code: 'OTHER_PART_FAILED' } }, backend: { status: 'failed' } },
    });
    expect(await shown(told)).toEqual({ page: first, live: first, route: first });
    expect(await verdictOf(project, second)).toBeNull();
  });
  await tell(null, undefined, async (told) => {
    const { plane, advance, project } = told;
    const id = await plane.deploy({ projectId: project, env: failing, publication: 'independent' });
    const [record] = await untilEnded(plane, [id], { advance });
    expect(record).toMatchObject({
      status: 'failed',
      outcome: 'partial',
      builds: { frontend: { status: 'succeeded' } },
    });
    expect((await shown(told)).live).toBe(id);
  });
});

test('a cancel while the site waits: it is never shown, and both tasks are gone', async () => {
  await tell(null, undefined, async (told) => {
    const { plane, ecs, advance, project } = told;
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
    expect(await shown(told)).toEqual({ page: null, live: null, route: null });
    expect(await verdictOf(project, id)).toBe('cancel');
    expect(ecs.log.filter((task) => task.stoppedAs === undefined)).toEqual([]);
  });
});

test('an older deployment whose backend takes longer does not replace a newer one', async () => {
  await tell(null, undefined, async (told) => {
    const { plane, advance, project } = told;
    const older = await plane.deploy({ projectId: project, env: { DO_BACKEND: 'exit:1,spot,ok' }, ref: 'a' });
    const newer = await plane.deploy({ projectId: project, ref: 'b' });
    const [first, second] = await untilEnded(plane, [older, newer], { advance, stepMs: 20_000 });
    expect([first?.status, second?.status]).toEqual(['succeeded', 'succeeded']);
    expect(await shown(told)).toEqual({ page: newer, live: newer, route: newer });
  });
});
