import { s3Keys } from '../../../../contract/names.ts';
import { deploymentIds } from '../../../../lambdas/domain/deploymentIds.ts';
import { makeRequestedEvent } from '../../../../lambdas/domain/events.ts';
import { adoptProject } from '../../../../lambdas/shared/projects/adoptProject.ts';
import { openProjectStore } from '../../../../lambdas/shared/projects/projectStore.ts';
import { openMemoryPlatform } from '../../../../local/adapters/memory/platform.ts';
import { memoryS3 } from '../../../support/memoryS3.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** A project as an earlier version has left it: one deployment, whose site is live. */
async function earlierProject() {
  const [s3, bucket, clock] = [memoryS3(), 'b', { now: Date.now }];
  const ports = await openMemoryPlatform({ clock });
  const projects = openProjectStore({ s3, bucket, clock });
  const live = deploymentIds(clock)();
  const of = { deploymentId: live, projectId: 'shop', owner: 'ada', gitUrl: 'https://h/x', ref: null };
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, 'r', clock.now());
  await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: 'https://h/x' } });
  s3.objects.set(s3Keys.promotion('shop'), JSON.stringify({ v: 1, live, pending: null, updatedAt: AT }));
  const deps = { projects, store: ports.store, s3, bucket };
  const adopt = (more: { owner?: string; ended?: string } = {}) =>
    adoptProject(deps, { projectId: 'shop', owner: 'ada', ...more });
  return { projects, live, adopt };
}

test('whoever comes first makes one document with what is live; at once or again, it is one release', async () => {
  const { adopt, live, projects } = await earlierProject();
  const later = `${live.slice(0, -1)}z`;
  await Promise.all([adopt(), adopt({ ended: later }), adopt(), adopt({ ended: later })]);
  await adopt();
  const document = await projects.get('shop');
  expect(document?.settings).toEqual({ gitUrl: 'https://h/x' });
  expect(document?.releases).toEqual([
    {
      ...{ releaseId: `${live}-auto`, deploymentId: live, kind: 'automatic', at: AT, by: 'veren' },
      reason: 'live before releases were kept',
    },
  ]);
  expect(document?.release).toEqual(document?.releases[0]);
});

test('a document without a release gets what is live, and keeps its pin; one with releases stays', async () => {
  const { adopt, live, projects } = await earlierProject();
  await projects.ensure('shop', 'ada', {});
  const pinned = { by: 'ada', at: AT };
  await projects.change('shop', (project) => ({ ...project, pinned }));
  expect(await adopt()).toMatchObject({ pinned, release: { deploymentId: live } });
  const release = { releaseId: 'r', deploymentId: 'd9', kind: 'promote', at: AT, by: 'ada' } as const;
  await projects.change('shop', (project) => ({ ...project, release, releases: [release] }));
  expect((await adopt())?.releases).toEqual([release]);
});

test('what has just ended is no history yet', async () => {
  const { adopt, live } = await earlierProject();
  expect(await adopt({ ended: live })).toMatchObject({ release: null, releases: [] });
});

test('a project that was deleted does not come back, and another owner’s is nobody’s to adopt', async () => {
  const { adopt, projects } = await earlierProject();
  await adopt();
  expect(await adopt({ owner: 'bob' })).toBeNull();
  const removed = { deployments: 0, objects: 0, bytes: 0, images: 0, addresses: 0 };
  await projects.change('shop', (project) => ({ ...project, deleted: { by: 'ada', at: AT, removed } }));
  expect(await adopt()).toBeNull();
  expect(await adopt({ ended: '01zz' })).toBeNull();
  expect(await projects.get('shop')).toBeNull();
});
