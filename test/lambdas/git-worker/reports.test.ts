import fc from 'fast-check';
import { GIT_HOSTS } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import { clearFault, faultsOf, noteFault } from '../../../lambdas/shared/gitHosts/gitFault.ts';
import { RIGHT_TOKEN, WEAK_TOKEN } from '../../support/gitHosts/hostDouble.ts';
import { reportScene, type Step } from '../../support/gitHosts/reportScene.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const HOUR = 3_600_000;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const start: typeof reportScene = async (...of) => {
  const scene = await reportScene(...of);
  open.push(scene);
  return scene;
};
type Deployed = Awaited<ReturnType<Awaited<ReturnType<typeof reportScene>>['deploy']>>;
const run = async (deployment: Deployed, steps: Step[], commit = A) => {
  for (const step of steps) await deployment.step(step, commit);
};

describe('what a host is told', () => {
  test.each(GIT_HOSTS)('%s: each state once, with the preview’s address at the end', async (host) => {
    const { deploy, drain, double } = await start(host);
    const deployment = await deploy();
    for (const step of ['analyzing', 'analyzed', 'started', 'succeeded'] as const) {
      await deployment.step(step);
      await drain();
      await drain();
    }
    const [shown, ...more] = double.shown(A);
    expect(more).toEqual([]);
    expect(shown).toMatchObject({ context: 'veren/shop', description: 'The preview is ready after 4 s' });
    expect(shown?.url).toMatch(/^https:\/\/[a-z2-7]{12}--shop\.sites\.example\/$/);
    expect(double.statuses.length).toBeLessThanOrEqual(3);
    expect(double.comments).toEqual([]);
  });

  test('production is opened at the project’s address', async () => {
    const { deploy, drain, double } = await start();
    await run(await deploy({ isProduction: true }), ['analyzed', 'succeeded']);
    await drain();
    expect(double.statuses).toMatchObject([{ state: 'success', url: 'https://shop.sites.example/' }]);
  });

  test.each<[Step, string, string]>([
    ['failed', 'failure', 'The build failed: `npm` @everyone'],
    ['canceled', 'error', 'Canceled'],
    ['superseded', 'error', 'Canceled, since a newer deployment took its place'],
  ])('%s', async (end, state, description) => {
    const { deploy, drain, double } = await start();
    await run(await deploy(), ['analyzed', end]);
    await drain();
    expect(double.statuses).toMatchObject([{ state, description, url: undefined }]);
  });

  test('states that follow one another before the worker comes are one status', async () => {
    const { deploy, drain, double, wakes } = await start();
    await run(await deploy(), ['analyzing', 'analyzed', 'started', 'succeeded']);
    expect(wakes()).toBe(3);
    await drain();
    expect(double.statuses.map(({ state }) => state)).toEqual(['success']);
  });

  test('the place in the queue, while nothing of the deployment runs', async () => {
    const { deploy, drain, double, queue } = await start();
    const deployment = await deploy();
    for (const id of ['x-frontend', 'y-frontend', `${deployment.deploymentId}-frontend`])
      await queue.enqueue(QUEUES.build, { id, data: {}, owner: 'ada', projectId: id });
    await deployment.step('analyzed');
    await drain();
    expect(double.statuses).toMatchObject([{ state: 'pending', description: 'Waiting: number 3 in the queue' }]);
  });

  test('the queue is listed once for the reports that follow one another', async () => {
    const listed: string[] = [];
    const { deploy, drain, double } = await start('github', {
      wrapQueue: (queue) => {
        const wrapped: typeof queue = Object.create(queue);
        wrapped.list = async (name, state) => {
          listed.push(`${name} ${state}`);
          return queue.list(name, state);
        };
        return wrapped;
      },
    });
    for (let i = 0; i < 20; i++)
      await run(await deploy(), ['analyzed'], String(i % 10).repeat(39) + (i > 9 ? 'a' : 'b'));
    await drain();
    expect(double.statuses).toHaveLength(20);
    expect(listed).toEqual([`${QUEUES.build} waiting`]);
  });

  test('an address that opens a protected preview is told to nobody', async () => {
    const { deploy, drain, double, showPull } = await start('github', { protection: 'link' });
    const deployment = await deploy();
    await run(deployment, ['analyzed', 'succeeded']);
    await showPull(deployment.deploymentId, 5);
    await drain();
    expect(double.statuses[0]?.url).toMatch(/sites\.example\/$/);
    expect(double.comments[0]?.text).not.toContain('?');
  });

  test.each([
    ['a project without a token', { token: null }],
    ['statuses and comments are off', { connection: { statuses: false, comments: false } }],
  ])('nothing: %s', async (_name, options) => {
    const { deploy, drainAll, double, showPull } = await start('github', options);
    const deployment = await deploy();
    await showPull(deployment.deploymentId, 5);
    await run(deployment, ['analyzed', 'succeeded']);
    await drainAll();
    expect(double.requests).toEqual([]);
  });

  test('nothing of a project that is not connected, or that is somebody else’s by now', async () => {
    const { deploy, drainAll, double, projects, wakes, queue } = await start();
    const deployment = await deploy();
    const job = { ...{ deploymentId: deployment.deploymentId, projectId: 'shop' }, owner: 'mallory' };
    await queue.enqueue(QUEUES.report, { id: 'other', data: job, owner: 'mallory', projectId: 'shop' });
    await queue.enqueue(QUEUES.report, { id: 'bad', data: { no: 1 }, owner: 'ada', projectId: 'shop' });
    await drainAll();
    await projects.change('shop', (p) => ({ ...p, settings: {} }));
    await run(deployment, ['analyzed', 'succeeded']);
    await drainAll();
    expect(double.requests).toEqual([]);
    expect(wakes()).toBe(0);
  });
});

describe('order', () => {
  test('a late end of an older deployment of the commit does not replace the newer one’s', async () => {
    const { deploy, drainAll, double } = await start();
    const older = await deploy();
    const newer = await deploy();
    await run(older, ['analyzed', 'started']);
    await run(newer, ['analyzed', 'started', 'succeeded']);
    await drainAll();
    await older.step('failed');
    await drainAll();
    expect(double.shown(A)).toMatchObject([{ state: 'success' }]);
    expect(double.statuses.at(-1)?.state).toBe('success');
  });

  test('a repeated or late job tells nothing twice, also after the queue was lost', async () => {
    const { deploy, drainAll, double, queue, clock } = await start();
    const deployment = await deploy();
    await run(deployment, ['analyzed', 'succeeded']);
    await drainAll();
    const count = double.requests.length;
    const { deploymentId } = deployment;
    const job = {
      id: 'again',
      data: { deploymentId, projectId: 'shop', owner: 'ada' },
      owner: 'ada',
      projectId: 'shop',
    };
    await queue.enqueue(QUEUES.report, job);
    clock.advance(400 * 24 * HOUR);
    await drainAll();
    expect(double.requests.length).toBe(count);
  });

  test('a deployment of long ago that nothing is known of is not told', async () => {
    const { deploy, drainAll, double, clock, s3 } = await start();
    await run(await deploy(), ['analyzed', 'succeeded']);
    for (const key of s3.objects.keys()) if (key.endsWith('reports.json')) s3.objects.delete(key);
    clock.advance(8 * 24 * HOUR);
    await drainAll();
    expect(double.requests).toEqual([]);
  });
});

describe('comments', () => {
  test.each(GIT_HOSTS)('%s: one per pull request, brought up to date until it is closed', async (host) => {
    const { deploy, drain, double, showPull } = await start(host);
    const first = await deploy();
    await run(first, ['analyzed']);
    await showPull(first.deploymentId, 5);
    await drain();
    expect(double.comments).toMatchObject([{ number: 5 }]);
    await run(first, ['started', 'succeeded']);
    await drain();
    expect(double.comments[0]?.text).toContain('The preview is ready');
    const second = await deploy();
    await run(second, ['analyzed', 'failed'], B);
    await showPull(second.deploymentId, 5);
    await drain();
    expect(double.comments).toHaveLength(1);
    expect(double.comments[0]?.text).toContain("The build failed: 'npm' @everyone");
    expect(double.comments[0]?.text).toContain(B.slice(0, 12));
    await first.step('closed');
    await drain();
    expect(double.comments[0]?.text).toContain(B.slice(0, 12));
    await second.step('closed');
    await drain();
    expect(double.comments).toHaveLength(1);
    expect(double.comments[0]?.text).toContain('The preview was removed, since the pull request');
    expect(double.shown(A)).toHaveLength(1);
  });

  test('a fork’s pull request: held, held again at the next commit, then its deployment', async () => {
    const { deploy, drain, double, hold, approve, clock, showPull } = await start('gitea');
    await hold(9, A);
    await drain();
    expect(double.shown(A)).toMatchObject([{ state: 'pending', description: 'Waits for a member to approve it' }]);
    expect(double.comments[0]?.text).toContain('Waits for a member to approve this commit');
    clock.advance(1_000);
    await hold(9, B);
    await hold(9, B);
    await drain();
    expect(double.comments).toHaveLength(1);
    expect(double.comments[0]?.text).toContain(B.slice(0, 12));
    await approve(9);
    clock.advance(1_000);
    const deployment = await deploy({ fork: 9 });
    await run(deployment, ['analyzed', 'succeeded'], B);
    await showPull(deployment.deploymentId, 9);
    await drain();
    expect(double.shown(B)).toMatchObject([{ state: 'success', context: 'veren/shop/fork' }]);
    expect(double.comments[0]?.text).toContain('The preview is ready');
  });

  test.each(['before', 'after'])(
    'a stranger who proposes a commit of ours %s its end changes nothing of its status',
    async (when) => {
      const { deploy, drainAll, double, hold, clock } = await start();
      const own = await deploy({ isProduction: true });
      await run(own, when === 'after' ? ['analyzed', 'succeeded'] : ['analyzed']);
      await drainAll();
      clock.advance(1_000);
      await hold(9, A);
      await drainAll();
      const fork = await deploy({ fork: 9 });
      await run(fork, ['analyzed', 'failed']);
      await drainAll();
      if (when === 'before') await run(own, ['succeeded']);
      await drainAll();
      const shown = Object.fromEntries(double.shown(A).map(({ context, state }) => [context, state]));
      expect(shown).toEqual({ 'veren/shop': 'success', 'veren/shop/fork': 'failure' });
    },
  );

  test('a fork’s pull request that is not held any more when the worker comes is not told', async () => {
    const { drain, double, hold, approve } = await start();
    await hold(9, A);
    await approve(9);
    await drain();
    expect(double.requests).toEqual([]);
  });

  test('what a build has said is code, which mentions nobody and ends nowhere', async () => {
    const { deploy, drain, double, showPull } = await start();
    const deployment = await deploy();
    await run(deployment, ['analyzed', 'failed']);
    await showPull(deployment.deploymentId, 5);
    await drain();
    const [, block = ''] = /```text\n([\s\S]*)\n```$/.exec(double.comments[0]?.text ?? '') ?? [];
    expect(block).toContain('@everyone');
    expect(block).not.toContain('`');
  });

  test('statuses only, or comments only', async () => {
    for (const connection of [{ statuses: false }, { comments: false }]) {
      const { deploy, drain, double, showPull } = await start('gitea', { connection });
      const deployment = await deploy();
      await run(deployment, ['analyzed', 'succeeded']);
      await showPull(deployment.deploymentId, 5);
      await drain();
      expect([double.statuses.length, double.comments.length]).toEqual('statuses' in connection ? [0, 1] : [1, 0]);
    }
  });
});

describe('faults', () => {
  test.each([
    ['another repository’s host', { gitUrl: 'https://git.example/ada/shop' }],
    ['another port', { gitUrl: 'http://127.0.0.1:1/ada/shop' }],
  ])('a token that was stored for %s is not sent, and the project says what to do', async (_name, tokenOf) => {
    const { deploy, drainAll, double, fault, lines } = await start('github', { tokenOf });
    await run(await deploy(), ['analyzed', 'succeeded']);
    await drainAll();
    expect(double.requests).toEqual([]);
    expect(await fault()).toMatchObject({ code: 'GIT_TOKEN_ELSEWHERE' });
    expect((await fault())?.message).toContain(new URL(double.apiUrl).host);
    expect((await fault())?.message).toContain('Store it again');
    expect(JSON.stringify(lines)).not.toContain(RIGHT_TOKEN);
  });

  test('a name that the host has no repositories of is shown in the project and not repeated', async () => {
    const { deploy, drainAll, double, fault } = await start('github', { connection: { repository: 'ada/shop/more' } });
    await run(await deploy(), ['analyzed', 'succeeded']);
    await drainAll(1);
    expect(double.requests).toEqual([]);
    expect(await fault()).toMatchObject({ code: 'GIT_REPORT_REFUSED' });
  });

  test('a refused token is shown in the project, is not repeated, and goes with the next report that is taken', async () => {
    const { deploy, drainAll, double, fault, lines } = await start('github', { token: WEAK_TOKEN });
    const deployment = await deploy();
    await run(deployment, ['analyzed', 'succeeded']);
    await drainAll();
    expect(await fault()).toMatchObject({ code: 'GIT_TOKEN_REFUSED' });
    expect((await fault())?.message).toContain('Store a token that may write commit statuses');
    expect(double.requests.length).toBe(1);
    expect(JSON.stringify(lines)).not.toContain(WEAK_TOKEN);
    double.fault = () => ({ status: 201, body: '{}' });
    await run(await deploy(), ['analyzed'], B);
    await drainAll();
    expect(await fault()).toBeUndefined();
  });

  test('one fault does not hide another, and each goes when it is over', async () => {
    const { deploy, drainAll, double, projects } = await start('github', { token: WEAK_TOKEN });
    await noteFault({ projects, clock: { now: Date.now } }, 'shop', {
      ...{ code: 'GIT_DELIVERY_LOST', details: { host: 'github', at: 'today', reason: 'r' } },
    });
    await run(await deploy(), ['analyzed', 'succeeded']);
    await drainAll();
    const codes = async () => (await projects.get('shop'))?.gitFaults?.map(({ code }) => code);
    expect(await codes()).toEqual(['GIT_TOKEN_REFUSED', 'GIT_DELIVERY_LOST']);
    double.fault = () => ({ status: 201, body: '{}' });
    await run(await deploy(), ['analyzed'], B);
    await drainAll();
    expect(await codes()).toEqual(['GIT_DELIVERY_LOST']);
  });

  test('the fault that an earlier version has noted is one of them', async () => {
    const { projects } = await start();
    const gitFault = { code: 'GIT_TOKEN_REFUSED', message: 'm', at: '2026-11-28T00:00:00.000Z' };
    await projects.change('shop', (before) => ({ ...before, gitFault }));
    expect(faultsOf((await projects.get('shop'))!)).toEqual([gitFault]);
    await clearFault({ projects }, 'shop', ['GIT_TOKEN_REFUSED']);
    expect(faultsOf((await projects.get('shop'))!)).toEqual([]);
  });

  test('a report whose host is slow ends in time, and its next try goes on where it was', async () => {
    const { deploy, drain, drainAll, double, showPull } = await start('github', { reportMs: 500 });
    const deployment = await deploy();
    await run(deployment, ['analyzed', 'succeeded']);
    await drainAll();
    for (const number of [1, 2, 3, 4]) await showPull(deployment.deploymentId, number);
    double.fault = () => new Promise((resolve) => setTimeout(() => resolve(undefined), 400));
    const from = performance.now();
    await drain();
    // Two calls for each of four comments, did it not end.
    expect(performance.now() - from).toBeLessThan(2_000);
    double.fault = () => undefined;
    await drainAll();
    expect(double.comments.map(({ number }) => number).toSorted()).toEqual([1, 2, 3, 4]);
    expect(double.statuses).toHaveLength(1);
  });

  test('a secondary rate limit holds back every report of the project for as long as the host asks', async () => {
    const { deploy, drain, drainAll, double, clock } = await start();
    double.fault = () => ({
      status: 403,
      headers: { 'retry-after': '600' },
      body: '{"message":"secondary rate limit"}',
    });
    await run(await deploy(), ['analyzed']);
    await drain();
    expect(double.requests.length).toBe(1);
    double.fault = () => undefined;
    await run(await deploy(), ['analyzed', 'succeeded'], B);
    clock.advance(300_000);
    await drain();
    expect(double.requests.length).toBe(1);
    await drainAll();
    expect(double.shown(A)).toMatchObject([{ state: 'pending' }]);
    expect(double.shown(B)).toMatchObject([{ state: 'success' }]);
  });

  test('an outage of 20 hours is survived; one of more than a day is shown', async () => {
    const { deploy, drainAll, double, clock, fault, lines } = await start();
    const back = clock.now() + 20 * HOUR;
    double.fault = () => (clock.now() < back ? { status: 503 } : undefined);
    await run(await deploy(), ['analyzed', 'succeeded']);
    await drainAll();
    expect(double.shown(A)).toMatchObject([{ state: 'success' }]);
    expect(double.requests.length).toBeLessThan(200);
    double.fault = () => ({ status: 503 });
    await run(await deploy(), ['analyzed', 'succeeded'], B);
    await drainAll();
    expect(await fault()).toMatchObject({ code: 'GIT_HOST_UNANSWERED' });
    expect(JSON.stringify(lines)).not.toContain(RIGHT_TOKEN);
  });

  test('one host that does not answer holds up no report to another', async () => {
    const slow = await start('github');
    slow.double.fault = () => new Promise((resolve) => setTimeout(() => resolve({ status: 200 }), 3_000).unref());
    const { projects, deploy, drain, double } = slow;
    await run(await deploy(), ['analyzed']);
    const other = await start('gitea');
    await run(await other.deploy(), ['analyzed', 'succeeded']);
    const from = performance.now();
    await Promise.all([drain(), other.drain().then(() => expect(performance.now() - from).toBeLessThan(1_500))]);
    expect(other.double.shown(A)).toHaveLength(1);
    expect(double.statuses).toEqual([]);
    expect(projects).toBeDefined();
  });
});

test('any order of states and deployments, with faults of host and queue: each commit ends with the newest final state', async () => {
  const ENDS = ['succeeded', 'failed', 'canceled'] as const;
  const STATES = { succeeded: 'success', failed: 'failure', canceled: 'error' } as const;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ commit: fc.constantFrom(A, B), end: fc.constantFrom(...ENDS) }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.infiniteStream(fc.nat(999)),
      async (given, dice) => {
        const roll = (below: number) => (dice.next().value as number) % below;
        let faulty = true;
        const scene = await reportScene('github', {
          random: () => roll(10) / 10,
          wrapQueue(queue) {
            const wrapped: typeof queue = Object.create(queue);
            // The answer of the queue is lost after the work is done: the lease has to end.
            wrapped.ack = async (name, id) => {
              if (faulty && name === QUEUES.report && roll(12) === 0) throw new Error('Redis is away');
              return queue.ack(name, id);
            };
            return wrapped;
          },
        });
        try {
          scene.double.fault = () => {
            if (!faulty) return undefined;
            return [
              { status: 500 },
              { status: 429, headers: { 'retry-after': '20' } },
              { status: 403, headers: { 'retry-after': '5' }, body: '{"message":"secondary rate limit"}' },
            ][roll(12)];
          };
          const deployments = [];
          for (const one of given) deployments.push({ ...one, deployment: await scene.deploy() });
          const waiting = deployments.flatMap((of) => [
            (['analyzed', 'started', of.end] as Step[]).map((step) => ({ of, step })),
          ]);
          while (waiting.some((steps) => steps.length > 0)) {
            const steps = waiting[roll(waiting.length)];
            const next = steps?.shift();
            if (!next) continue;
            await next.of.deployment.step(next.step, next.of.commit);
            if (roll(3) === 0) await scene.drain().catch(() => undefined);
            scene.clock.advance(roll(60) * 1_000);
          }
          for (let i = 0; i < 20; i++) {
            await scene.drain().catch(() => undefined);
            scene.clock.advance(400_000);
          }
          faulty = false;
          scene.clock.advance(400_000);
          await scene.drainAll();
          for (const commit of new Set(given.map((one) => one.commit))) {
            const newest = deployments.filter((one) => one.commit === commit).at(-1)!;
            const kept = scene.double.statuses.filter((one) => one.commit === commit);
            expect(scene.double.shown(commit)).toMatchObject([{ state: STATES[newest.end] }]);
            // Nothing follows the newest final state.
            expect(kept.at(-1)?.state).toBe(STATES[newest.end]);
          }
        } finally {
          await scene.close();
        }
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
