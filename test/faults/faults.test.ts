import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BUILDERS } from '../../contract/builders.ts';
import type { Manifest, Promotion } from '../../contract/manifest.ts';
import { s3Keys, TOPICS } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { openMemoryPlatform } from '../../lambdas/shared/adapters/memory/platform.ts';
import type { Limits } from '../../lambdas/shared/ports.ts';
import { ServiceError } from '../../local/awsProtocol/serviceError.ts';
import { type EcsFault, startEcsEndpoint } from '../../local/ecs/endpoint.ts';
import { type ControlPlane, controlPlane, untilEnded } from '../support/controlPlane/controlPlane.ts';
import { BUCKET, movableClock, openWorld, type World } from '../support/controlPlane/world.ts';

/**
 * Each fault through the real SDK against `local/ecs`, where a task is a process (`stand-in.mjs`). What is asserted: the end
 * of every deployment, and the task log of ECS: one task per attempt, and never more at once than the limits allow.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

interface LoggedTask {
  /** `target-attempt-start`, as its token has it. */
  readonly of: string;
  readonly capacityProvider?: string | undefined;
  /** By ECS's own clock: when its events arrive says nothing. */
  readonly createdAt: string;
  stoppedAt?: string;
  stopped: boolean;
}

const mostAtOnce = (tasks: readonly LoggedTask[]) =>
  Math.max(
    0,
    ...tasks.map(
      ({ createdAt: at }) => tasks.filter((t) => t.createdAt <= at && !(t.stoppedAt && t.stoppedAt <= at)).length,
    ),
  );

interface Scene {
  readonly plane: ControlPlane;
  readonly tasks: readonly LoggedTask[];
  /** Most tasks at once. */
  readonly peak: () => number;
  readonly calls: readonly string[];
  readonly advance: (ms: number) => void;
  readonly end: (...ids: string[]) => Promise<DeploymentRecord[]>;
}

interface Setting {
  readonly fault?: (operation: string, n: number) => EcsFault | undefined;
  readonly limits?: Limits;
  readonly spot?: boolean;
  readonly timeoutSeconds?: number;
  readonly sdkAttempts?: number;
  /** Milliseconds that the functions' clock is ahead of everybody else's. */
  readonly skew?: number;
  /** State changes never arrive. */
  readonly deaf?: boolean;
  /** State changes arrive, each three times. */
  readonly repeated?: boolean;
}

let scenes = 0;
async function scene(setting: Setting, play: (s: Scene) => Promise<void>): Promise<void> {
  const clock = movableClock();
  clock.advance(setting.skew ?? 0);
  const ports = await openMemoryPlatform({ clock });
  const tasks = new Map<string, LoggedTask>();
  const calls: string[] = [];

  const reports = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      projectId: string;
      deploymentId: string;
      attempt: number;
    };
    if (request.url === '/event')
      await plane.bus.publish(TOPICS.events, [{ key: body.deploymentId, value: JSON.stringify(body) }]);
    else await published(body);
    response.end();
  });
  await new Promise<void>((done) => reports.listen(0, '127.0.0.1', done));
  const REPORT_TO = `http://127.0.0.1:${(reports.address() as AddressInfo).port}`;

  const ecs = await startEcsEndpoint({
    dataDir: join(world.dataDir, `scene-${scenes++}`),
    credentials: world.credentials,
    taskDefinitions: BUILDERS.map((b) => ({
      cluster: b.cluster,
      family: b.family,
      containerName: b.container,
      stopTimeoutSeconds: 5,
      image: { entryPoint: [process.execPath, join(__dirname, 'stand-in.mjs')], environment: { REPORT_TO } },
    })),
    onTaskStateChange(event) {
      const { taskArn, startedBy = '', lastStatus, capacityProviderName, createdAt = '', stoppedAt } = event.detail;
      const of = startedBy.replace(/^\w+-/, '');
      const known = tasks.get(taskArn) ?? { of, capacityProvider: capacityProviderName, createdAt, stopped: false };
      tasks.set(taskArn, known);
      known.stopped = lastStatus === 'STOPPED';
      if (stoppedAt !== undefined) known.stoppedAt = stoppedAt;
      if (setting.deaf) return;
      for (let i = 0; i < (setting.repeated ? 3 : 1); i++) void plane.watch(event);
    },
    fault(operation, n) {
      calls.push(operation);
      return setting.fault?.(operation, n);
    },
  });
  const plane = controlPlane({
    storage: ports,
    clock,
    endpoints: { ecs: ecs.url, sts: world.sts, s3: world.s3Url },
    credentials: world.credentials.root,
    bucket: BUCKET,
    ...(setting.limits && { limits: setting.limits }),
    ...(setting.spot && { spot: true }),
    ...(setting.sdkAttempts && { sdkAttempts: setting.sdkAttempts }),
    ...(setting.timeoutSeconds && { timeoutSeconds: setting.timeoutSeconds }),
  });
  try {
    await play({
      plane,
      get tasks() {
        return [...tasks.values()];
      },
      peak: () => mostAtOnce([...tasks.values()]),
      calls,
      advance: clock.advance,
      end: (...ids) => untilEnded(plane, ids, { advance: clock.advance, stepMs: 10_000, pauseMs: 50, sweeps: 200 }),
    });
    // Nothing is left behind: no task, and no job that holds a slot.
    for (let i = 0; i < 100 && [...tasks.values()].some((t) => !t.stopped); i++) {
      clock.advance(30_000);
      await plane.watch();
      await new Promise((r) => setTimeout(r, 50));
    }
    expect([...tasks.values()].filter((t) => !t.stopped)).toEqual([]);
    for (let i = 0; i < 3; i++) {
      await plane.watch();
      await plane.idle();
      clock.advance(130_000);
    }
    expect(await ports.queue.list('build', 'active')).toEqual([]);
  } finally {
    delete world.faults.sts;
    await plane.idle();
    await plane.close();
    await ecs.close();
    reports.closeAllConnections();
    await new Promise((done) => reports.close(done));
    await ports.close();
  }
}

/** What a builder leaves in the bucket when it has published. */
async function published({
  projectId,
  deploymentId,
  attempt,
}: {
  projectId: string;
  deploymentId: string;
  attempt: number;
}) {
  const at = new Date().toISOString();
  const manifest: Manifest = {
    v: 1,
    projectId,
    deploymentId,
    attempt,
    commit: 'c'.repeat(40),
    createdAt: at,
    files: 1,
    bytes: 2,
    objects: [],
  };
  const promotion: Promotion = { v: 1, live: deploymentId, pending: null, updatedAt: at };
  for (const [Key, body] of [
    [s3Keys.deploymentManifest(projectId, deploymentId), manifest],
    [s3Keys.promotion(projectId), promotion],
  ] as const)
    await world.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: JSON.stringify(body) }));
}

/** The shortest way to say how a deployment ended. */
const told = (r: DeploymentRecord | undefined) =>
  r &&
  [r.status, r.builds.frontend?.attempt, r.error?.code ?? (r.builds.frontend?.artifact ? 'artifact' : 'nothing')].join(
    ' ',
  );
const of = (tasks: readonly LoggedTask[]) => tasks.map((t) => t.of);
const firstCalls = (operation: string, n: number, fault: EcsFault) => (op: string, call: number) =>
  op === operation && call <= n ? fault : undefined;

describe('ECS, when a task is to be started', () => {
  test.each<[string, Setting, string[]]>([
    ['answers 500 for a while', { fault: firstCalls('RunTask', 7, 'error500') }, ['frontend-1-0']],
    ['throttles for a while', { fault: firstCalls('RunTask', 7, 'throttle') }, ['frontend-1-0']],
    [
      'starts the task and loses the answer',
      { fault: firstCalls('RunTask', 1, 'timeout-after-start') },
      ['frontend-1-0'],
    ],
    [
      'loses every answer of a call and of its repeats',
      { fault: firstCalls('RunTask', 3, 'timeout-after-start') },
      ['frontend-1-0'],
    ],
    [
      'loses the answer, then throttles: the throttled repeat must not count as "nothing was started"',
      {
        fault: (op, n) =>
          op !== 'RunTask' ? undefined : n === 1 ? 'timeout-after-start' : n < 6 ? 'throttle' : undefined,
      },
      ['frontend-1-0'],
    ],
    [
      'has no capacity twice',
      { fault: firstCalls('RunTask', 2, { failures: [{ reason: 'Capacity is unavailable at this time' }] }) },
      ['frontend-1-2'],
    ],
  ])(
    '%s',
    (_, setting, expected) =>
      scene(setting, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', expected]);
      }),
    30_000,
  );

  test(
    'never answers RunTask, though it starts the task: found by its token',
    () =>
      scene({ fault: (op) => (op === 'RunTask' ? 'timeout-after-start' : undefined), deaf: true }, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', ['frontend-1-0']]);
      }),
    30_000,
  );

  test.each<[string, EcsFault, string]>([
    ['throttles', 'throttle', 'ThrottlingException'],
    ['answers 500', 'error500', 'ServerException'],
    ['has no capacity', { failures: [{ reason: 'RESOURCE:FARGATE' }] }, 'RESOURCE:FARGATE'],
  ])(
    '%s for ever: fails after bounded attempts with a sentence, and nothing was started',
    (_, fault, reason) =>
      scene({ fault: (op) => (op === 'RunTask' ? fault : undefined), sdkAttempts: 1 }, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['failed 3 RETRIES_EXHAUSTED', []]);
        expect(record?.error?.message).toContain(reason);
      }),
    60_000,
  );

  test(
    'an answer is lost while the limit is one: the slot stays taken, no other build starts beside it',
    () =>
      scene(
        { fault: firstCalls('RunTask', 3, 'timeout-after-start'), limits: { global: 1, perOwner: 1, perProject: 1 } },
        async (s) => {
          const ids = await Promise.all(['a', 'b', 'c'].map((projectId) => s.plane.deploy({ projectId })));
          const records = await s.end(...ids);
          expect(records.map(told)).toEqual(Array(3).fill('succeeded 1 artifact'));
          expect([s.tasks.length, s.peak()]).toEqual([3, 1]);
        },
      ),
    30_000,
  );
});

describe('STS', () => {
  const refuse = (times: number) => {
    let n = 0;
    world.faults.sts = () => (n++ < times ? new ServiceError('AccessDenied', 403, 'not now') : undefined);
  };
  test(
    'refuses for a while: nothing was started meanwhile, then one task',
    () =>
      scene({}, async (s) => {
        refuse(4);
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['succeeded 1 artifact', ['frontend-1-0']]);
      }),
    30_000,
  );

  test(
    'refuses for ever: a reason, no task',
    () =>
      scene({}, async (s) => {
        refuse(Number.POSITIVE_INFINITY);
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site' }));
        expect([told(record), of(s.tasks)]).toEqual(['failed 3 RETRIES_EXHAUSTED', []]);
        expect(record?.error?.message).toMatch(/credentials/i);
      }),
    60_000,
  );
});

describe('a task that ends', () => {
  test.each<[string, string, string, number]>([
    ['well, and its last event is lost', 'silent', 'succeeded 1 artifact', 1],
    ['with a user’s exit code, and its last event is lost', 'exit:22', 'failed 1 BUILD_FAILED', 1],
    ['out of nowhere, once', 'exit:1,ok', 'succeeded 2 artifact', 2],
    ['out of nowhere, always', 'exit:1', 'failed 3 RETRIES_EXHAUSTED', 3],
    ['saying that publishing failed, once', 'says:PUBLISH_FAILED/30,ok', 'succeeded 2 artifact', 2],
    ['saying that publishing failed, always', 'says:PUBLISH_FAILED/30', 'failed 3 RETRIES_EXHAUSTED', 3],
    ['saying that the build failed', 'says:BUILD_FAILED/22', 'failed 1 BUILD_FAILED', 1],
    ['stopped by nobody that we know, once', 'says:BUILD_STOPPED/143,ok', 'succeeded 2 artifact', 2],
  ])(
    '%s',
    (_, script, expected, tasks) =>
      scene({}, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: script } }));
        expect([told(record), s.tasks.length]).toEqual([expected, tasks]);
      }),
    30_000,
  );

  test(
    'without any state change: the sweep finds all of it',
    () =>
      scene({ deaf: true }, async (s) => {
        const ids = await Promise.all(
          ['silent', 'exit:22', 'ok'].map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
        );
        expect((await s.end(...ids)).map(told)).toEqual([
          'succeeded 1 artifact',
          'failed 1 BUILD_FAILED',
          'succeeded 1 artifact',
        ]);
      }),
    30_000,
  );

  test(
    'with every state change three times at once',
    () =>
      scene({ repeated: true }, async (s) => {
        const ids = await Promise.all(
          ['exit:1,ok', 'ok'].map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
        );
        expect((await s.end(...ids)).map(told)).toEqual(['succeeded 2 artifact', 'succeeded 1 artifact']);
        expect(s.tasks.length).toBe(3);
      }),
    30_000,
  );

  test(
    'never: it is stopped after its time, and fails for that',
    () =>
      scene({ timeoutSeconds: 60 }, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: 'hang' } }));
        expect([told(record), s.tasks.length]).toEqual(['failed 1 TASK_TIMEOUT', 1]);
      }),
    30_000,
  );

  test(
    'on Spot first, on demand afterwards',
    () =>
      scene({ spot: true }, async (s) => {
        const [record] = await s.end(await s.plane.deploy({ projectId: 'site', env: { DO: 'exit:1,ok' } }));
        expect(told(record)).toBe('succeeded 2 artifact');
        expect(s.tasks.map((t) => t.capacityProvider)).toEqual(['FARGATE_SPOT', 'FARGATE']);
      }),
    30_000,
  );
});

describe('clocks that differ by minutes', () => {
  test.each([-240_000, 240_000])(
    'the functions are %d ms off: the same ends',
    (skew) =>
      scene({ skew }, async (s) => {
        const scripts = ['ok', 'silent', 'exit:1,ok', 'says:PUBLISH_FAILED/30,ok', 'exit:22'];
        const ids = await Promise.all(
          scripts.map((script, i) => s.plane.deploy({ projectId: `p${i}`, env: { DO: script } })),
        );
        expect((await s.end(...ids)).map(told)).toEqual([
          'succeeded 1 artifact',
          'succeeded 1 artifact',
          'succeeded 2 artifact',
          'succeeded 2 artifact',
          'failed 1 BUILD_FAILED',
        ]);
        expect(s.tasks.length).toBe(7);
      }),
    60_000,
  );

  test.each([-240_000, 240_000])(
    'canceled with %d ms off: canceled it stays',
    (skew) =>
      scene({ skew }, async (s) => {
        const id = await s.plane.deploy({ projectId: 'site', env: { DO: 'hang' } });
        while (s.tasks.length === 0) await new Promise((r) => setTimeout(r, 20));
        expect((await s.plane.call('POST', `/deployments/${id}/cancel`)).status).toBe(202);
        const [record] = await s.end(id);
        expect(told(record)).toBe('canceled 1 nothing');
        while (s.tasks.some((t) => !t.stopped)) await new Promise((r) => setTimeout(r, 20));
        await s.plane.idle();
        expect(told(await s.plane.record(id))).toBe('canceled 1 nothing');
      }),
    30_000,
  );
});

test(
  'twelve pushes at once, with limits: nothing lost, one task each, never more at once than allowed',
  () =>
    scene({ limits: { global: 3, perOwner: 2, perProject: 1 } }, async (s) => {
      const ids = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          s.plane.deploy({ projectId: `p${i % 5}-${i % 2}`, ref: `branch-${i}` }, { owner: i % 2 ? 'bob' : 'ada' }),
        ),
      );
      const records = await s.end(...ids);
      expect(records.map(told)).toEqual(ids.map(() => 'succeeded 1 artifact'));
      expect([s.tasks.length, s.peak() <= 3]).toEqual([12, true]);
    }),
  60_000,
);
