import { VerenError } from '../../contract/errors.ts';
import { commitOf, gitStage } from '../lambdas/git-worker/gitStage.ts';
import { randomOf } from '../support/random.ts';

const DELIVERIES = 1_000;
const FAILING = 0.05;
const BRANCHES = ['main', 'a', 'b', 'c', 'd', 'e'];

/**
 * 1,000 deliveries of pushes and pull requests in random order, with repeats, while branches move on, and while 5 % of all
 * calls of Redis, Kafka and the git host fail: before they have done anything, or after.
 */
test.each([1])(
  'random deliveries: every commit is deployed once at most, and the newest wins (seed %i)',
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
    await stage.connect();
    failing = true;

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
    for (const { ref, environment } of named) expect(environment).toBe(ref === 'main' ? 'production' : 'preview');
    await stage.close();
  },
  600_000,
);
