import { QUEUES, s3Keys } from '../../../contract/names.ts';
import { deploymentIds } from '../../../lambdas/domain/deploymentIds.ts';
import { makeAnalyzedEvent, makeBuildEvent, makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { composeReleaser } from '../../../lambdas/releaser/compose.ts';
import type { Sites } from '../../../lambdas/shared/ports.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { queueProject, queueShown } from '../../../lambdas/shared/queueRelease.ts';
import { branchHost, deploymentHost } from '../../../lambdas/shared/sites/routes.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { frontendPlan } from '../../support/events.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const bucket = 'b';
const of = { projectId: 'shop', owner: 'ada' };

/** The releaser on memory ports. */
async function scene() {
  const clock = { now: Date.now };
  const s3 = memoryS3();
  const ports = await openMemoryPlatform({ clock });
  const projects = openProjectStore({ s3, bucket, clock });
  await projects.ensure('shop', 'ada', {});
  const calls = { point: 0, jobs: 0 };
  let beforePoint: (() => Promise<unknown>) | undefined;
  const sites: Sites = {
    ...ports.sites,
    async point(changes) {
      calls.point++;
      await beforePoint?.();
      await ports.sites.point(changes);
    },
  };
  const queue: typeof ports.queue = Object.create(ports.queue);
  queue.claim = async (name, options) => {
    const job = await ports.queue.claim(name, options);
    if (job && name === QUEUES.release) calls.jobs++;
    return job;
  };
  const releaser = composeReleaser({ ...ports, queue, sites, s3, clock, log: silentLog }, { bucket });
  const newId = deploymentIds(clock);
  return {
    ...{ ports, projects, calls, releaser, s3 },
    onPoint(before: typeof beforePoint) {
      beforePoint = before;
    },
    /** A preview whose site was published. */
    async preview(branch: string) {
      const deploymentId = newId();
      const deployed = { ...of, deploymentId, gitUrl: 'https://h/x', ref: null };
      const requested = makeRequestedEvent({ ...deployed, correlationId: undefined }, `${deploymentId}-r`, clock.now());
      await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: 'https://h/x' } });
      const artifact = { kind: 'static' as const, bucket, prefix: 'x', files: 1, bytes: 5 };
      const build = { deploymentId, projectId: 'shop', target: 'frontend' as const, attempt: 1 };
      const plan = { ...frontendPlan(), lane: 'preview' as const, environment: 'preview' as const, branch };
      const succeeded = makeBuildEvent(build, { type: 'build.succeeded', artifact, logLines: 0 }, clock.now());
      await ports.store.fold(deploymentId, [makeAnalyzedEvent(deployed, plan, clock.now()), succeeded]);
      const manifest = {
        ...{ v: 1, projectId: 'shop', deploymentId, attempt: 1, commit: 'c', createdAt: '2026-11-28T00:00:00.000Z' },
        ...{ files: 0, bytes: 0, objects: [], complete: true },
      };
      s3.objects.set(s3Keys.deploymentManifest('shop', deploymentId), JSON.stringify(manifest));
      return deploymentId;
    },
    async lock() {
      const changed = await projects.change('shop', (p) => ({ ...p, settings: { previews: { protection: 'link' } } }));
      await queueProject(ports, of, changed!.updatedAt);
    },
    kindsOf: async () =>
      new Set((await ports.sites.listRoutes('shop')).map(({ route }) => route.protection?.kind ?? 'open')),
  };
}

test('a lock reaches every preview, also one whose record is gone, and one that is just shown', async () => {
  const { preview, releaser, ports, lock, kindsOf, onPoint, projects } = await scene();
  for (const branch of ['a', 'b']) {
    await queueShown(ports, (await ports.store.get(await preview(branch)))!.record);
    await releaser();
  }
  const old = (await ports.store.list({ ...of, limit: 9 })).items.at(-1)!.deploymentId;
  await ports.store.remove(old);
  expect(await kindsOf()).toEqual(new Set(['open']));
  const next = await preview('c');
  await queueShown(ports, (await ports.store.get(next))!.record);
  // The releaser has read the document by then, and the other job has been done before it writes.
  onPoint(async () => {
    onPoint(undefined);
    await projects.change('shop', (p) => ({ ...p, settings: { previews: { protection: 'link' } } }));
  });
  await releaser();
  const project = (await projects.get('shop'))!;
  for (const host of [deploymentHost(project, next), branchHost(project, 'c')])
    expect((await ports.sites.find(host))?.protection?.kind).toBe('link');
  await lock();
  await releaser();
  expect(await kindsOf()).toEqual(new Set(['link']));
  expect(await ports.sites.listRoutes('shop')).toHaveLength(6);
});

test('500 previews: a lock is on after one look at the table, and no job is about more than a page', async () => {
  const { preview, releaser, ports, lock, kindsOf, calls } = await scene();
  for (let i = 0; i < 500; i++) await preview(`branch-${i % 5}`);
  await queueProject(ports, of, 'all');
  await releaser();
  expect(await ports.sites.listRoutes('shop')).toHaveLength(505);
  Object.assign(calls, { point: 0, jobs: 0 });
  await lock();
  // A run that ends after its first job: what has an address is locked by then.
  let jobs = 0;
  await releaser(() => jobs++ < 2);
  expect(await kindsOf()).toEqual(new Set(['link']));
  expect(calls.point).toBeLessThan(20);
  while (!(await releaser()));
  expect(calls.jobs).toBe(5);
  expect(calls.point).toBeLessThan(60);
}, 120_000);

test('an address that was lost comes back with the next change of settings', async () => {
  const { preview, releaser, ports, projects } = await scene();
  const id = await preview('a');
  await queueProject(ports, of, '1');
  await releaser();
  const project = (await projects.get('shop'))!;
  const hosts = [deploymentHost(project, id), branchHost(project, 'a')];
  await ports.sites.point(hosts.map((host) => ({ host, route: null })));
  await queueProject(ports, of, '2');
  await releaser();
  for (const host of hosts) expect((await ports.sites.find(host))?.deploymentId).toBe(id);
});
