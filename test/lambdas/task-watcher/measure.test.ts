import type { DeploymentRecord } from '../../../contract/record.ts';
import type { Job, JobQueue } from '../../../lambdas/shared/ports.ts';
import { measureQueues } from '../../../lambdas/task-watcher/measure.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const job = (id: string, over: Partial<Job> = {}): Job => ({
  id,
  owner: 'o',
  projectId: 'p',
  state: 'waiting',
  attempt: 1,
  addedAt: NOW,
  runAt: NOW,
  notes: {},
  data: {
    deploymentId: id,
    projectId: 'p',
    owner: 'o',
    target: 'frontend',
    gitUrl: 'https://x.example/y.git',
    commit: 'c',
    env: {},
    plan: {
      path: '.',
      framework: null,
      language: 'javascript',
      packageManager: null,
      nodeVersion: 24,
      installPath: '.',
      installCommand: null,
      buildCommand: null,
      evidence: [],
    },
  },
  ...over,
});

/** What is measured for these jobs; every build began its first phase `begun` seconds ago. */
async function measured(jobs: Record<string, Job[]>, begun: number) {
  const startedAt = new Date(NOW - begun * 1_000).toISOString();
  const record = { builds: { frontend: { phases: [{ name: 'fetch', startedAt }] } } } as unknown as DeploymentRecord;
  const found: Record<string, number> = {};
  await measureQueues(
    {
      queue: { list: async (queue: string, state: string) => jobs[`${queue} ${state}`] ?? [] } as unknown as JobQueue,
      store: { get: async () => ({ record }) } as never,
      clock: { now: () => NOW },
      timeoutSeconds: { frontend: 1_800, backend: 2_700 },
    },
    (values) => Object.assign(found, values),
  );
  return found;
}

test('the oldest job that is due tells the age; one that waits for its retry does not', async () => {
  const waiting = [
    job('a', { addedAt: NOW - 90_000, runAt: NOW - 30_000 }),
    job('b', { runAt: NOW + 60_000, addedAt: NOW - 999_000 }),
  ];
  expect(await measured({ 'build waiting': waiting }, 0)).toMatchObject({
    BuildQueueAge: 30,
    CloneQueueAge: 0,
    WaitingBuilds: 2,
  });
});

test('a promotion that nobody takes counts as a build that waits, and needs no slot', async () => {
  const waiting = [job('d', { addedAt: NOW - 90_000, runAt: NOW - 45_000 })];
  expect(await measured({ 'promote waiting': waiting }, 0)).toMatchObject({ BuildQueueAge: 45, WaitingBuilds: 0 });
});

test.each([
  [1_800, 0],
  [2_400, 0],
  [2_401, 1],
])('a build that runs for %i s counts as stuck: %i', async (seconds, stuck) => {
  const active = [job('a', { state: 'active', addedAt: NOW - 9_999_000 })];
  expect(await measured({ 'build active': active }, seconds)).toMatchObject({ ActiveBuilds: 1, StuckBuilds: stuck });
});
