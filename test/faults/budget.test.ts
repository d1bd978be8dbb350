import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { CreateDeployment } from '../../contract/api.ts';
import { monthOf, type ProjectCosts } from '../../contract/cost.ts';
import { MICRO_USD } from '../../contract/money.ts';
import { s3Keys } from '../../contract/names.ts';
import { type Scene, scene as sceneIn } from '../support/controlPlane/scene.ts';
import { BUCKET, openWorld, type World } from '../support/controlPlane/world.ts';
import { frontendPlan } from '../support/events.ts';

/** Whole ways of deployments that cost money: from the request to the sum, with every function that takes part. */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** `main` is production, as the clone worker decides it. */
const analyze = async ({ ref }: CreateDeployment) => {
  const environment = ref === 'main' ? ('production' as const) : ('preview' as const);
  return { ...frontendPlan(), environment, lane: environment };
};
const scene = (play: (s: Scene) => Promise<void>) =>
  sceneIn(world, { analyze, accounts: { region: 'us-east-1', network: 'NAT gateway' }, supersede: 'off' }, play);

/** These take a second on a quiet machine; the bound is for what never ends. */
const BOUND_MS = 120_000;

const gitUrl = 'https://git.example/site.git';
const setBudget = ({ plane }: Scene, projectId: string) =>
  plane.call('PUT', `/projects/${projectId}`, { gitUrl, budget: { monthlyUsd: 1 } });
/** A sum of earlier deployments; of the next month as well, for a test that runs in the last minute of one. */
async function spend(projectId: string, dollars: number): Promise<void> {
  const now = new Date();
  for (const at of [now, new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1))]) {
    const Key = s3Keys.costsOf(projectId, monthOf(at.toISOString()));
    const Body = JSON.stringify({ v: 1, deployments: { earlier: dollars * MICRO_USD } });
    await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  }
}
const costsOf = async ({ plane }: Scene, projectId: string) => {
  const { status, body } = await plane.call('GET', `/projects/${projectId}/costs`);
  expect(status).toBe(200);
  return body as unknown as ProjectCosts;
};
/** The task's end is told by ECS after the builder's. */
async function untilCosted({ plane, ecs }: Scene, id: string, tasks = 1) {
  for (let i = 0; i < 400; i++) {
    const record = await plane.record(id);
    if (record.cost?.tasks.length === tasks) return record;
    await plane.idle();
    await new Promise((r) => setTimeout(r, 20));
  }
  throw new Error(`${id} has no cost after ${ecs.log.length} tasks`);
}

test(
  'every deployment has a cost, a project their sum, and what is told twice counts once',
  () =>
    scene(async (s) => {
      const ids = [];
      for (const ref of ['main', 'a', 'b']) ids.push(await s.plane.deploy({ projectId: 'sums', ref }));
      await s.end(...ids);
      let sum = 0;
      for (const id of ids) {
        const { cost } = await untilCosted(s, id);
        // A minute of one vCPU and 2 GB, and a file of two bytes.
        expect(cost).toMatchObject({ microUsd: 675 + 148 + 5, pricesOf: expect.any(String) });
        sum += cost!.microUsd!;
      }
      await s.plane.watch();
      await s.plane.idle();
      const { month, ...costs } = await costsOf(s, 'sums');
      expect(costs).toEqual({ projectId: 'sums', microUsd: sum, deployments: 3, unpriced: 0 });
      expect((await s.plane.call('GET', '/projects/sums/costs?month=2020-02')).body).toMatchObject({ microUsd: 0 });
      expect((await s.plane.call('GET', '/projects/sums/costs?month=2020-13')).status).toBe(400);
      expect((await s.plane.call('GET', '/projects/sums/costs', undefined, { owner: 'bob' })).status).toBe(404);
    }),
  BOUND_MS,
);

test(
  'near its budget builds run alone and on Spot, say so, and are tried again on demand where it is taken back',
  () =>
    scene(async (s) => {
      await setBudget(s, 'near');
      await spend('near', 0.85);
      const first = await s.plane.deploy({ projectId: 'near', ref: 'a', env: { DO: 'spot,ok' } });
      const second = await s.plane.deploy({ projectId: 'near', ref: 'b' });
      const [a, b] = await s.end(first, second);
      expect([a?.status, b?.status]).toEqual(['succeeded', 'succeeded']);
      expect(b?.builds.frontend?.slowed).toEqual({
        budgetPercent: 85,
        message: expect.stringMatching(/^It ran on Spot capacity and alone, since 85 % of the project's budget/),
      });
      const of = (id: string) => s.ecs.log.filter(({ env }) => env.DEPLOYMENTID === id);
      expect(of(first).map((t) => t.capacityProvider)).toEqual(['FARGATE_SPOT', 'FARGATE']);
      expect(of(second).map((t) => t.capacityProvider)).toEqual(['FARGATE_SPOT']);
      const spans = s.ecs.log.map((t) => [t.startedAs, t.stoppedAs!] as const).toSorted((x, y) => x[0] - y[0]);
      for (const [i, [start]] of spans.entries()) if (i > 0) expect(start).toBeGreaterThan(spans[i - 1]![1]);
      const { cost } = await untilCosted(s, first, 2);
      expect(cost?.tasks.map(({ capacity }) => capacity)).toEqual(['spot', 'on demand']);
      expect((await costsOf(s, 'near')).budget).toEqual({ monthlyUsd: 1, percent: 85, slowed: true, refused: [] });
    }),
  BOUND_MS,
);

test(
  'over it previews are refused with a sentence; production is built until a fifth more, and goes back at any time',
  () =>
    scene(async (s) => {
      const old = await s.plane.deploy({ projectId: 'over', ref: 'main' });
      await s.end(old);
      await setBudget(s, 'over');
      await spend('over', 1);
      const [preview, production] = await s.end(
        await s.plane.deploy({ projectId: 'over', ref: 'a' }),
        await s.plane.deploy({ projectId: 'over', ref: 'main' }),
      );
      expect(preview?.status).toBe('failed');
      expect(preview?.error).toMatchObject({
        code: 'BUDGET_SPENT',
        message: expect.stringMatching(
          /^100 % of the project's budget of 1 US dollars .* this preview deployment was not built/,
        ),
      });
      expect(production?.status).toBe('succeeded');
      expect(production?.builds.frontend?.slowed?.budgetPercent).toBe(100);

      await spend('over', 1.2);
      const [refused] = await s.end(await s.plane.deploy({ projectId: 'over', ref: 'main' }));
      expect(refused?.error).toMatchObject({ code: 'BUDGET_SPENT', message: expect.stringContaining('production') });
      expect((await costsOf(s, 'over')).budget?.refused).toEqual(['production', 'preview']);
      const back = await s.plane.call('POST', `/deployments/${old}/promote`);
      expect(back.status).toBe(202);
      // The budget is what counts, and it may be raised.
      await s.plane.call('PATCH', '/projects/over', { budget: { monthlyUsd: 100 } });
      const [again] = await s.end(await s.plane.deploy({ projectId: 'over', ref: 'a' }));
      expect(again?.status).toBe('succeeded');
      expect(again?.builds.frontend).not.toHaveProperty('slowed');
    }),
  BOUND_MS,
);

test(
  'a build that waits for another of its project goes at full speed once the budget is raised',
  () =>
    scene(async (s) => {
      await setBudget(s, 'raised');
      await spend('raised', 0.9);
      const first = await s.plane.deploy({ projectId: 'raised', ref: 'a', env: { DO: 'hang' } });
      await s.tasks(1);
      const second = await s.plane.deploy({ projectId: 'raised', ref: 'b' });
      await s.plane.idle();
      await s.plane.watch();
      await s.plane.idle();
      expect(s.ecs.log).toHaveLength(1);
      await s.plane.call('PATCH', '/projects/raised', { budget: { monthlyUsd: 100 } });
      const [b] = await s.end(second);
      expect(b?.builds.frontend).not.toHaveProperty('slowed');
      expect(s.ecs.log.map((t) => t.capacityProvider)).toEqual(['FARGATE_SPOT', 'FARGATE']);
      await s.plane.call('POST', `/deployments/${first}/cancel`);
      await s.end(first);
    }),
  BOUND_MS,
);
