import type { DeploymentRecord } from '../../contract/record.ts';
import { isTerminal } from '../../contract/record.ts';
import { connectRedis } from '../../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../../lambdas/shared/adapters/redis/ports.ts';
import { ServiceError } from '../../local/awsProtocol/serviceError.ts';
import { controlPlane, type Role } from '../support/controlPlane/controlPlane.ts';
import { Killed, life } from '../support/controlPlane/life.ts';
import type { LoggedTask, SimulatedFault } from '../support/controlPlane/simulatedEcs.ts';
import { movableClock, openWorld } from '../support/controlPlane/world.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { randomOf } from '../support/random.ts';
import { anyRedis, redisMissing } from '../support/redis.ts';

const DEPLOYMENTS = Number(process.env.VEREN_SOAK_DEPLOYMENTS ?? 2_000);
const LIMITS = { global: 6, perOwner: 3, perProject: 1 };
const OWNERS = ['ada', 'bob', 'eve'];
const PROJECTS = 60;
/** Share of the calls of ECS and STS that fail, and of the runs of each function that are killed somewhere. */
const FAILING = 0.05;
const KILLED: Readonly<Record<Role, number>> = {
  api: 0.05,
  'clone-worker': 0.1,
  'build-worker': 0.1,
  'task-watcher': 0.1,
  'event-projector': 0.02,
  releaser: 0.1,
  'git-worker': 0.1,
};
/** Accepted and not yet ended, at most: the pushes come as fast as that allows. */
const IN_FLIGHT = 200;

const random = randomOf(Number(process.env.VEREN_SEED ?? 20_261_123));
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const SCRIPTS = [
  ...Array<string>(30).fill('ok'),
  'silent',
  'silent',
  'exit:22',
  'says:BUILD_FAILED',
  'exit:1,ok',
  'exit:137,silent',
  'spot,ok',
  'gone,ok',
  'says:PUBLISH_FAILED,ok',
  'exit:1',
];

/**
 * Tasks are functions behind ECS's protocol (`simulatedEcs.ts`): thousands of processes would measure the machine. All else
 * is real: the handlers, the SDK, Redis, the endpoints of STS and S3. Time is put forward, so that backoffs and leases pass.
 */
describeWith(
  tooSlow ?? redisMissing,
  `soak: ${DEPLOYMENTS} deployments, 5 % of calls fail, functions are killed at random`,
  () => {
    test('every one ends, with one artifact or one reason, and the limits hold', async () => {
      const world = await openWorld();
      const engine = await anyRedis();
      const clock = movableClock();
      const client = connectRedis({ url: engine.url });
      await client.config('SET', 'appendfsync', 'everysec').catch(() => undefined);
      const ports = openRedisPorts(client, { prefix: engine.prefix(), clock });
      const published = new Map<string, number>();
      const archived = new Map<string, DeploymentRecord>();
      let kills = 0;
      const faults = { calls: 0, failed: 0 };
      const fails = () => {
        faults.calls++;
        const failed = random() < FAILING;
        if (failed) faults.failed++;
        return failed;
      };
      world.faults.ecs = () =>
        fails() ? pick<SimulatedFault>(['error500', 'throttle', 'lost-answer', 'no-capacity']) : undefined;
      world.faults.sts = () => (fails() ? new ServiceError('AccessDenied', 403, 'not now') : undefined);

      const ecs = await world.ecs(
        () => plane.bus,
        // One state change in ten never arrives, one in ten arrives twice.
        (event) => {
          const times = random() < 0.1 ? 0 : random() < 0.1 ? 2 : 1;
          for (let i = 0; i < times; i++) void plane.watch(event);
        },
        {
          now: clock.now,
          work: () => 40 + random() * 120,
          onPublished: (id) => published.set(id, (published.get(id) ?? 0) + 1),
        },
      );
      const plane = controlPlane({
        storage: ports,
        clock,
        ...world.around(ecs),
        limits: LIMITS,
        spot: true,
        supersede: 'off',
        instances: 3,
        archive: {
          writeRecord: async (record) => void archived.set(record.deploymentId, record),
          readRecord: async () => null,
          writeLog: async () => undefined,
          readLog: async () => null,
        },
        lives(role) {
          if (random() >= KILLED[role]) return undefined;
          kills++;
          return life({ step: 1 + Math.floor(random() * 20), when: random() < 0.5 ? 'before' : 'after' });
        },
      });

      let over = false;
      const minutes = (async () => {
        while (!over) {
          clock.advance(6_000);
          await plane.watch();
          await new Promise((r) => setTimeout(r, 100));
        }
      })();

      const owners = new Map<string, string>();
      /** Pushes until the answer is seen, as a client does; the key makes it one deployment. */
      async function push(n: number): Promise<string> {
        const project = n % PROJECTS;
        const owner = OWNERS[project % OWNERS.length]!;
        const request = { projectId: `p${project}`, env: { DO: pick(SCRIPTS) } };
        for (;;)
          try {
            const id = await plane.deploy(request, { owner, key: `push-${n}` });
            owners.set(id, owner);
            return id;
          } catch (e) {
            if (!(e instanceof Killed)) throw e;
          }
      }
      const ids: string[] = [];
      const deadline = Date.now() + 420_000;
      const unended = async () => (await ports.store.unfinished()).length;
      for (let n = 0; n < DEPLOYMENTS; n += 20) {
        ids.push(...(await Promise.all(Array.from({ length: Math.min(20, DEPLOYMENTS - n) }, (_, i) => push(n + i)))));
        while ((await unended()) > IN_FLIGHT && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
      }
      while ((await unended()) > 0 && Date.now() < deadline) await new Promise((r) => setTimeout(r, 100));
      // What still holds a slot is a job whose last freeing was cut off: the sweep finds it.
      while ((await ports.queue.list('build', 'active')).length > 0 && Date.now() < deadline)
        await new Promise((r) => setTimeout(r, 100));
      over = true;
      await minutes;
      await plane.idle();

      const records = await Promise.all(ids.map((id) => plane.record(id)));
      const succeeded = records.filter((r) => r.status === 'succeeded');
      const multiple = ecs.log.length - new Set(ecs.log.map((t) => t.token.replace(/-\d+$/, ''))).size;
      const codes = new Map<string, number>();
      for (const { error } of records) if (error) codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      console.log(
        `${ids.length} deployments: ${succeeded.length} succeeded, ${records.length - succeeded.length} failed (${[...codes].map(([code, n]) => `${code} ${n}`).join(', ')}); ${ecs.log.length} tasks; ` +
          `${faults.failed} of ${faults.calls} calls failed; ${kills} runs doomed; most tasks at once ${peaks(ecs.log, owners).global}`,
      );
      expect(new Set(ids).size).toBe(DEPLOYMENTS);
      expect(records.filter((r) => !isTerminal(r.status))).toEqual([]);
      expect(records.filter((r) => (r.builds.frontend?.artifact !== undefined) === (r.error !== undefined))).toEqual(
        [],
      );
      expect(succeeded.filter((r) => published.get(r.deploymentId) === undefined)).toEqual([]);
      expect(records.filter((r) => archived.get(r.deploymentId)?.status !== r.status)).toEqual([]);
      expect(multiple).toBe(0);
      expect(await ports.queue.list('build', 'active')).toEqual([]);
      expect(await ports.queue.list('build', 'waiting')).toEqual([]);
      const most = peaks(ecs.log, owners);
      expect(most.global).toBeLessThanOrEqual(LIMITS.global);
      expect(most.owner).toBeLessThanOrEqual(LIMITS.perOwner);
      expect(most.project).toBeLessThanOrEqual(LIMITS.perProject);
      // The pressure was there: limits that nobody comes near would prove nothing.
      expect(most.global).toBeGreaterThan(LIMITS.global / 2);
      expect(most.owner).toBeGreaterThan(LIMITS.perOwner / 2);

      await plane.close();
      await ports.close();
      client.disconnect();
      await engine.stop();
      await world.close();
    }, 500_000);
  },
);

/** Most tasks at once, by ECS's own order of starts and stops. */
function peaks(log: readonly LoggedTask[], owners: ReadonlyMap<string, string>) {
  const changes = log.flatMap((task) => [
    { at: task.startedAs, by: 1, task },
    { at: task.stoppedAs ?? Number.POSITIVE_INFINITY, by: -1, task },
  ]);
  const counts = new Map<string, number>();
  const most = { global: 0, owner: 0, project: 0 };
  for (const { by, task } of changes.sort((a, b) => a.at - b.at)) {
    const { DEPLOYMENTID = '', PROJECT_ID = '' } = task.env;
    for (const [kind, name] of [
      ['global', ''],
      ['owner', owners.get(DEPLOYMENTID) ?? ''],
      ['project', PROJECT_ID],
    ] as const) {
      const count = (counts.get(`${kind}/${name}`) ?? 0) + by;
      counts.set(`${kind}/${name}`, count);
      most[kind] = Math.max(most[kind], count);
    }
  }
  return most;
}
