import { Redis } from 'ioredis';
import { connectRedis } from '../../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../../lambdas/shared/adapters/redis/ports.ts';
import { type ControlPlane, controlPlane } from '../support/controlPlane/controlPlane.ts';
import type { SimulatedEcs } from '../support/controlPlane/simulatedEcs.ts';
import { untilEnded } from '../support/controlPlane/untilEnded.ts';
import { movableClock, openWorld, type World } from '../support/controlPlane/world.ts';
import { describeWith } from '../support/engines.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, ownRedis, ownRedisMissing } from '../support/redis.ts';

/** Redis goes away, or refuses, while deployments are in every state. What was accepted before, meanwhile or after, ends. */
describeWith(ownRedisMissing, 'the control plane on a Redis that fails', () => {
  let world: World;
  let engine: OwnRedis;
  beforeAll(async () => {
    world = await openWorld();
    engine = await ownRedis();
  });
  afterAll(async () => {
    await engine.stop();
    await world.close();
  });

  async function scene(
    play: (s: { plane: ControlPlane; ecs: SimulatedEcs; advance: (ms: number) => void }) => Promise<void>,
  ) {
    const clock = movableClock();
    const client = connectRedis({ url: engine.url });
    const ports = openRedisPorts(client, { prefix: engine.prefix(), clock });
    const ecs = await world.ecs(
      () => plane.bus,
      (event) => void plane.watch(event),
      { now: clock.now, work: () => 20 + Math.random() * 200 },
    );
    const plane = controlPlane({
      storage: ports,
      clock,
      ...world.around(ecs),
    });
    try {
      await play({ plane, ecs, advance: clock.advance });
    } finally {
      await plane.idle();
      await plane.close();
      await ports.close();
      client.disconnect();
    }
  }

  const admin = async <T>(work: (redis: Redis) => Promise<T>): Promise<T> => {
    const redis = new Redis(engine.url);
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  };

  /** Pushes for a second and a half, with the fault in the middle of it; gives the ids that were answered with 202. */
  async function pushThrough(plane: ControlPlane, fault: () => Promise<unknown>, cure: () => Promise<unknown>) {
    const accepted: string[] = [];
    let refused = 0;
    const scripts = ['ok', 'silent', 'exit:1,ok', 'exit:22', 'says:PUBLISH_FAILED/30,ok'];
    const push = async (i: number) => {
      const body = {
        gitUrl: 'https://git.example/site.git',
        projectId: `p${i}`,
        env: { DO: scripts[i % scripts.length]!.replace('/30', '') },
      };
      const { status, body: answer } = await plane.call('POST', '/deployments', body);
      if (status === 202) accepted.push(answer.deploymentId as string);
      else if (status === 503) refused++;
      else throw new Error(`${status} ${JSON.stringify(answer)}`);
    };
    const pushes: Promise<void>[] = [];
    for (let i = 0; i < 30; i++) {
      pushes.push(push(i));
      await new Promise((r) => setTimeout(r, 50));
      if (i === 10) await fault();
      if (i === 20) {
        await cure();
        // Clients come back with pauses; what is pushed until then may be refused, and is no more than before.
        await eventually(async () => (await plane.call('GET', '/deployments/none')).status === 404);
      }
    }
    await Promise.all(pushes);
    return { accepted, refused };
  }

  test.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['is killed and comes back', () => engine.kill(), () => engine.start()],
    [
      'is out of memory',
      () => admin((r) => r.config('SET', 'maxmemory', '1mb')),
      () => admin((r) => r.config('SET', 'maxmemory', '0')),
    ],
    [
      'takes no writes (READONLY)',
      () => admin((r) => r.replicaof('127.0.0.1', 1)),
      () => admin((r) => r.replicaof('NO', 'ONE')),
    ],
  ])(
    'that %s',
    (_, fault, cure) =>
      scene(async ({ plane, ecs, advance }) => {
        const { accepted, refused } = await pushThrough(plane, fault, cure);
        const records = await untilEnded(plane, accepted, { advance, stepMs: 5_000, pauseMs: 50 });
        expect(accepted.length + refused).toBe(30);
        expect(accepted.length).toBeGreaterThanOrEqual(15);
        for (const record of records) {
          const build = record.builds.frontend;
          const [artifact, reason] = [build?.artifact !== undefined, record.error !== undefined];
          expect({ status: record.status, one: artifact !== reason }).toEqual({
            status: artifact ? 'succeeded' : 'failed',
            one: true,
          });
        }
        const tokens = ecs.log.map((task) => task.token);
        expect(new Set(tokens.map((t) => t.replace(/-\d+$/, ''))).size).toBe(tokens.length);
      }),
    180_000,
  );
});
