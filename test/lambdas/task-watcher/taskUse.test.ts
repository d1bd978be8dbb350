import type { Task } from '@aws-sdk/client-ecs';
import type { DeploymentEvent } from '../../../contract/events.ts';
import { makeBuildEvent, makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { taskToken } from '../../../lambdas/domain/taskToken.ts';
import { reconcileTask, type WatcherDeps } from '../../../lambdas/task-watcher/reconcile.ts';
import { taskUse } from '../../../lambdas/task-watcher/taskUse.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 28, 12) + seconds * 1_000);
const deploymentId = '01m8hwvmt231kjfdvyp581m5gt';
const task: Task = {
  ...{ taskArn: 'arn:task', clusterArn: 'builder', lastStatus: 'STOPPED', desiredStatus: 'STOPPED' },
  startedBy: taskToken({ deploymentId, target: 'frontend', attempt: 1, start: 0 }),
  ...{ cpu: '2048', memory: '4096', capacityProviderName: 'FARGATE' },
  ephemeralStorage: { sizeInGiB: 30 },
  ...{ createdAt: at(0), pullStartedAt: at(10), startedAt: at(20), stoppedAt: at(100.2) },
};
const nat = { region: 'ap-south-1', network: 'NAT gateway' } as const;

test('billed from the pull of its image, by the second, at the prices of its region and kind', () => {
  expect(taskUse(task, nat)).toMatchObject({
    ...{ seconds: 91, cpuUnits: 2_048, memoryMiB: 4_096, billedDiskGiB: 10, capacity: 'on demand' },
    rates: { vcpuHour: 42_560, gigabyteHour: 4_655, networkGigabyte: 56_000, addressHour: 0 },
  });
  const arm = { ...task, attributes: [{ name: 'ecs.cpu-architecture', value: 'arm64' }] };
  expect(
    taskUse({ ...arm, capacityProviderName: 'FARGATE_SPOT' }, { ...nat, network: 'public address' }),
  ).toMatchObject({ capacity: 'spot', rates: { vcpuHour: 11_577, networkGigabyte: 0, addressHour: 5_000 } });
});

test('a minute at least; nothing where no image was pulled; no prices where the region has none here', () => {
  expect(taskUse({ ...task, stoppedAt: at(11) }, nat)?.seconds).toBe(60);
  expect(taskUse({ ...task, ephemeralStorage: undefined }, nat)?.billedDiskGiB).toBe(0);
  const { pullStartedAt, ...never } = task;
  expect(taskUse(never, nat)).toBeNull();
  expect(taskUse(task, { ...nat, region: 'xx-north-9' })).not.toHaveProperty('rates');
});

test('told once for a task that has stopped, also where its job has long been gone; never on a laptop', async () => {
  const clock = { now: () => at(200).getTime() };
  const { queue, store } = await openMemoryPlatform({ clock });
  const of = { deploymentId, projectId: 'p', owner: 'ann', gitUrl: 'https://git.example/ann/p', ref: null };
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, `${deploymentId}-r`, clock.now());
  await store.create({ requested, request: { projectId: 'p', gitUrl: of.gitUrl } });
  const said: DeploymentEvent[] = [];
  const bus = {
    publish: async (_: string, messages: { value: string }[]) =>
      void said.push(...messages.map(({ value }) => JSON.parse(value))),
  };
  const deps = { queue, store, bus, clock, log: silentLog } as never as WatcherDeps;
  await reconcileTask(deps, task);
  expect(said).toEqual([]);
  const onAws = { ...deps, accounts: nat };
  await reconcileTask(onAws, task);
  const build = { deploymentId, projectId: 'p', target: 'frontend', attempt: 1 } as const;
  expect(said).toEqual([makeBuildEvent(build, { type: 'build.used', use: taskUse(task, nat)! }, clock.now())]);
  await store.fold(deploymentId, said);
  await reconcileTask(onAws, task);
  expect(said).toHaveLength(1);
  await reconcileTask(onAws, { ...task, lastStatus: 'RUNNING' });
  expect(said).toHaveLength(1);
});
