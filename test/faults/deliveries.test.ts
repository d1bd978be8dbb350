import { VerenError } from '../../contract/errors.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import { QUEUES } from '../../contract/names.ts';
import {
  makeAnalyzedEvent,
  makeBuildEvent,
  makeCanceledEvent,
  makeDeploymentFailedEvent,
} from '../../lambdas/domain/events.ts';
import { applyRecordEffects } from '../../lambdas/event-projector/effects.ts';
import { commitOf, gitStage } from '../lambdas/git-worker/gitStage.ts';
import { frontendPlan } from '../support/events.ts';
import { hostDouble, RIGHT_TOKEN } from '../support/gitHosts/hostDouble.ts';
import { silentLog } from '../support/log.ts';
import { randomOf } from '../support/random.ts';

const DELIVERIES = 1_000;
const FAILING = 0.05;
const BRANCHES = ['main', 'a', 'b', 'c', 'd', 'e'];
/** How deployments end, and what GitHub is to show of it. */
const ENDS = { succeeded: 'success', failed: 'failure', canceled: 'error' } as const;
type End = keyof typeof ENDS;

/**
 * 1,000 deliveries of pushes and pull requests in random order, with repeats, while branches move on and deployments end,
 * and while 5 % of all calls of Redis, Kafka and the git host (its refs and its API) fail: before they have done anything,
 * or after.
 */
test.each([1])(
  'random deliveries: every commit is deployed once at most, the newest wins, each ends with one final status (seed %i)',
  async (seed) => {
    const random = randomOf(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    let failing = true;
    let faults = 0;
    const wrap = <T extends object>(port: T): T =>
      new Proxy(port, {
        get(target, name) {
          const method = target[name as keyof T];
          if (typeof method !== 'function') return method;
          return async (...args: unknown[]) => {
            const fault = failing && random() < FAILING ? pick(['before', 'after']) : null;
            if (fault) faults++;
            const down = () => new VerenError('UNAVAILABLE', { reason: 'a fault of this test' });
            if (fault === 'before') throw down();
            const result = await method.apply(target, args);
            if (fault === 'after') throw down();
            return result;
          };
        },
      });
    const stage = await gitStage({ wrap });
    failing = false;
    const double = await hostDouble('github', { repository: 'ada/shop' });
    await stage.connect({}, { apiUrl: double.apiUrl });
    await stage.storeToken(RIGHT_TOKEN);
    failing = true;
    double.fault = () => {
      if (!failing || random() >= FAILING) return undefined;
      faults++;
      return pick([{ status: 500 }, { status: 502 }, { status: 429, headers: { 'retry-after': '20' } }]);
    };

    const { ports } = stage;
    const effects = {
      ...{ queue: wrap(ports.queue), store: wrap(ports.store), logs: ports.logs, subscriptions: ports.subscriptions },
      ...{ waker: { wake: async () => undefined }, log: silentLog, archiveLog: async () => undefined },
      archive: { writeRecord: async () => undefined } as never,
      ...{ notifier: { send: async () => 'sent' as const }, stopBuilds: async () => undefined },
      isConnected: async () => true,
    };
    /** As the projector does: what an event of Kafka asks for is done until it is. */
    const fold = async (deploymentId: string, event: DeploymentEvent) => {
      for (;;) {
        const folded = await effects.store.fold(deploymentId, [event]).catch(() => undefined);
        if (folded === undefined) continue;
        if (!folded) return;
        const isDone = await applyRecordEffects(effects, folded.before, folded.after).then(
          () => true,
          () => false,
        );
        if (isDone) return;
      }
    };
    const ends = new Map<string, End>();
    /** The deployments that there are end, in any order. */
    const endSome = async (share: number) => {
      for (const { deploymentId } of await stage.deployments()) {
        if (ends.has(deploymentId) || random() >= share) continue;
        const { commit } = await stage.requestOf(deploymentId);
        const end = pick(Object.keys(ENDS) as End[]);
        ends.set(deploymentId, end);
        const now = stage.clock.now();
        const of = { deploymentId, projectId: 'shop', owner: 'ada' };
        const build = { deploymentId, projectId: 'shop', target: 'frontend' as const, attempt: 1 };
        const artifact = { kind: 'static' as const, bucket: 'b', prefix: 'x', files: 1, bytes: 5 };
        await fold(deploymentId, makeAnalyzedEvent(of, { ...frontendPlan(), ...(commit && { commit }) }, now));
        const last = {
          succeeded: () => makeBuildEvent(build, { type: 'build.succeeded', artifact, logLines: 0 }, now),
          failed: () => makeDeploymentFailedEvent(of, { code: 'BUILD_FAILED', message: 'It failed' }, now),
          canceled: () => makeCanceledEvent(of, [], { reason: 'superseded', by: 'd' }, now),
        };
        await fold(deploymentId, last[end]());
      }
    };

    /** What the host still has to deliver; what it has delivered may come again. */
    const pending: { event: string; body: object; id: string }[] = [];
    const delivered: typeof pending = [];
    const tips = new Map<string, string>();
    let made = 0;
    const pushOne = () => {
      const branch = pick(BRANCHES);
      const before = tips.get(branch) ?? null;
      const commit = commitOf(++made);
      tips.set(branch, commit);
      stage.setRef(branch, commit);
      pending.push({ event: 'push', body: stage.pushed(branch, commit, { before }), id: `push-${made}` });
      if (branch === 'main') return;
      const body = stage.pull('synchronize', BRANCHES.indexOf(branch), branch, commit);
      pending.push({ event: 'pull_request', body, id: `pull-${made}` });
    };
    const runWorker = async () => {
      // As Lambda does: a run that was ended by a fault is followed by another.
      await stage.worker().catch(() => undefined);
      stage.clock.advance(500);
    };
    let sent = 0;
    for (let accepted = 0; accepted < DELIVERIES; ) {
      if (made < 350 && random() < 0.4) pushOne();
      const isRepeat = delivered.length > 0 && (pending.length === 0 || random() < 0.3);
      const delivery = isRepeat ? pick(delivered) : pick(pending);
      if (!delivery) continue;
      sent++;
      // A host sends again what was not taken.
      if ((await stage.deliver(delivery.event, delivery.body, delivery.id)) !== 202) continue;
      accepted++;
      if (!isRepeat) {
        pending.splice(pending.indexOf(delivery), 1);
        delivered.push(delivery);
      }
      if (random() < 0.3) await runWorker();
      if (random() < 0.02) await endSome(0.5);
    }
    for (const delivery of pending)
      while ((await stage.deliver(delivery.event, delivery.body, delivery.id)) !== 202) sent++;
    for (let i = 0; i < 400; i++) {
      const left = [
        ...(await stage.ports.queue.list('delivery', 'waiting')),
        ...(await stage.ports.queue.list('delivery', 'active')),
      ];
      if (left.length === 0) break;
      await runWorker();
      stage.clock.advance(30_000);
    }
    await endSome(1);
    for (let i = 0; i < 400; i++) {
      const isLeft = async (state: 'waiting' | 'active') => (await ports.queue.list(QUEUES.report, state)).length > 0;
      if (!(await isLeft('waiting')) && !(await isLeft('active'))) break;
      await runWorker();
      stage.clock.advance(60_000);
    }

    const deployments = await stage.deployments();
    const named = await Promise.all(
      deployments.map(async ({ deploymentId, ref }) => {
        const { commit, environment } = await stage.requestOf(deploymentId);
        return { ref, commit, environment };
      }),
    );
    expect(await stage.ports.queue.list('delivery', 'waiting')).toEqual([]);
    expect(faults).toBeGreaterThan(200);
    expect(sent).toBeGreaterThanOrEqual(DELIVERIES);
    const keys = named.map(({ ref, commit, environment }) => `${environment} ${ref} ${commit}`);
    expect(keys.length).toBeGreaterThan(BRANCHES.length);
    expect(new Set(keys).size).toBe(keys.length);
    for (const [branch, tip] of tips) {
      // Newest first.
      expect([branch, named.find(({ ref }) => ref === branch)?.commit]).toEqual([branch, tip]);
    }
    const newestOf = new Map<string, string>();
    // Newest first.
    for (const { deploymentId, trigger } of deployments.toReversed()) newestOf.set(trigger!.commit!, deploymentId);
    expect(newestOf.size).toBeGreaterThan(BRANCHES.length);
    for (const [commit, deploymentId] of newestOf) {
      const state = ENDS[ends.get(deploymentId)!];
      expect([commit, double.shown(commit).map((shown) => shown.state)]).toEqual([commit, [state]]);
      expect(double.statuses.findLast((one) => one.commit === commit)?.state).toBe(state);
    }
    for (const [number] of BRANCHES.entries())
      expect(double.comments.filter((comment) => comment.number === number).length).toBeLessThanOrEqual(1);
    await double.close();
    for (const { ref, environment } of named) expect(environment).toBe(ref === 'main' ? 'production' : 'preview');
    await stage.close();
  },
  600_000,
);
