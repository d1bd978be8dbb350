import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BUILDERS, type Target } from '../../../contract/builders.ts';
import type { Manifest, PublicationDecision } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import type { Limits } from '../../../lambdas/shared/ports.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { type EcsFault, startEcsEndpoint } from '../../../local/ecs/endpoint.ts';
import { publishAsBuilder } from '../signing.ts';
import { type ControlPlane, controlPlane } from './controlPlane.ts';
import { untilEnded } from './untilEnded.ts';
import { BUCKET, movableClock, type World } from './world.ts';

export interface LoggedTask {
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

export interface Scene {
  readonly plane: ControlPlane;
  readonly tasks: readonly LoggedTask[];
  /** Most tasks at once. */
  readonly peak: () => number;
  readonly calls: readonly string[];
  readonly advance: (ms: number) => void;
  readonly end: (...ids: string[]) => Promise<DeploymentRecord[]>;
}

export interface Setting {
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
/** A control plane of its own whose tasks are processes (`stand-in.mjs`) of `local/ecs`. At its end nothing may be left behind. */
export async function processScene(world: World, setting: Setting, play: (s: Scene) => Promise<void>): Promise<void> {
  const clock = movableClock();
  clock.advance(setting.skew ?? 0);
  const ports = await openMemoryPlatform({ clock });
  const tasks = new Map<string, LoggedTask>();
  const calls: string[] = [];

  const reports = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      target: Target;
      projectId: string;
      deploymentId: string;
      attempt: number;
    };
    if (request.url === '/event') await publishAsBuilder(plane.bus, body);
    else await published(world, body);
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
      image: {
        entryPoint: [process.execPath, join(__dirname, '../../faults/stand-in.mjs')],
        environment: { REPORT_TO },
      },
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
    ...world.around(ecs),
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
async function published(
  { s3 }: World,
  { projectId, deploymentId, attempt }: { projectId: string; deploymentId: string; attempt: number },
) {
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
  const decision: PublicationDecision = { v: 1, verdict: 'publish', at };
  for (const [Key, body] of [
    [s3Keys.deploymentManifest(projectId, deploymentId), manifest],
    [s3Keys.verdict(projectId, deploymentId, 'frontend'), decision],
  ] as const)
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: JSON.stringify(body) }));
}

/** The shortest way to say how a deployment ended. */
export const told = (r: DeploymentRecord | undefined) =>
  r &&
  [r.status, r.builds.frontend?.attempt, r.error?.code ?? (r.builds.frontend?.artifact ? 'artifact' : 'nothing')].join(
    ' ',
  );
export const of = (tasks: readonly LoggedTask[]) => tasks.map((t) => t.of);
