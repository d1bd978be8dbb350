import type { TaskUse } from '../../contract/cost.ts';
import type { DeploymentEvent } from '../../contract/events.ts';
import type { Plan, TargetPlan } from '../../contract/plan.ts';

/** A plan for one target, as detection would give it for a small Vite app. */
export const targetPlan = (over: Partial<TargetPlan> = {}): TargetPlan => ({
  path: '.',
  framework: 'vite',
  language: 'javascript',
  packageManager: { name: 'npm' },
  nodeVersion: 24,
  installPath: '.',
  installCommand: 'npm ci',
  buildCommand: 'npm run build',
  outputDirectory: 'dist',
  startCommand: null,
  port: null,
  evidence: [],
  ...over,
});

export const COMMIT = 'c0ffee'.padEnd(40, '0');
export const frontendPlan = (over: Partial<TargetPlan> = {}): Plan => ({
  commit: COMMIT,
  frontend: targetPlan(over),
  candidates: [],
  warnings: [],
});

/** A plan for a small service. */
export const backendPlan = (over: Partial<TargetPlan> = {}): Plan => ({
  commit: COMMIT,
  backend: targetPlan({
    framework: 'express',
    outputDirectory: null,
    buildCommand: null,
    startCommand: 'node server.js',
    port: 3_000,
    ...over,
  }),
  candidates: [],
  warnings: [],
});

/** What a task of the smallest builder is billed for, with simple rates. */
export const taskUse = (over: Partial<TaskUse> = {}): TaskUse => ({
  ...{ seconds: 3_600, cpuUnits: 1_024, memoryMiB: 2_048, billedDiskGiB: 10 },
  ...{ capacity: 'on demand', region: 'us-east-1' },
  rates: {
    ...{ date: '2026-11-28', vcpuHour: 40_000, gigabyteHour: 4_000, diskGibHour: 100, addressHour: 0 },
    ...{ networkGigabyte: 45_000, s3Put: 5, s3GigabyteMonth: 23_000, ecrGigabyteMonth: 100_000 },
  },
  ...over,
});

type Body<E> = E extends DeploymentEvent ? Omit<E, 'v' | 'id' | 'at' | 'deploymentId' | 'projectId'> : never;
let serial = 0;

/** An event of deployment `d1` in project `p1`, `second` seconds after an epoch of the tests. */
export const event = (second: number, body: Body<DeploymentEvent>, deploymentId = 'd1'): DeploymentEvent =>
  ({
    v: 1,
    id: `event-${serial++}`,
    at: new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString(),
    deploymentId,
    projectId: 'p1',
    ...body,
  }) as DeploymentEvent;
