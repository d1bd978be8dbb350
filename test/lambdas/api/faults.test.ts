import { VerenError } from '../../../contract/errors.ts';
import { deploymentIds } from '../../../lambdas/domain/deploymentIds.ts';
import { apiFixture } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';

test('a deployment that is made after the clock was set back is newer, and listed first', async () => {
  const clock = fakeClock();
  const { call } = await apiFixture({ clock, newId: (after) => deploymentIds(clock)(after) });
  const create = async (projectId: string) => {
    const { body, status } = await call('POST', '/deployments', { projectId, gitUrl: 'https://git.example/x.git' });
    expect(status).toBe(202);
    return body.deploymentId as string;
  };
  const made = [await create('a')];
  for (const [projectId, step] of [
    ['a', -600_000],
    ['b', -3_600_000],
    ['a', 1],
    ['b', 7_200_000],
    ['a', -1],
  ] as const) {
    clock.advance(step);
    made.push(await create(projectId));
  }
  expect(made.toSorted()).toEqual(made);
  const listed = async (query: string) =>
    (await call('GET', `/deployments${query}`)).body.items.map((d: { deploymentId: string }) => d.deploymentId);
  expect(await listed('')).toEqual(made.toReversed());
  expect(await listed('?projectId=b')).toEqual([made[4], made[2]]);
});

test('what is stored with its job is accepted, though nobody can be told of it yet; what cannot be stored is refused', async () => {
  const fixture = await apiFixture();
  const bus = { publish: () => Promise.reject(new VerenError('DISK_FULL', { path: '/data' })) };
  const { call, logged } = await apiFixture({ ...fixture.ports, bus });
  const request = { projectId: 'a', gitUrl: 'https://git.example/x.git' };
  expect((await call('POST', '/deployments', request)).status).toBe(202);
  expect(logged).toEqual(['A deployment was accepted, and its event could not be published yet']);

  const create = () => Promise.reject(new VerenError('DISK_FULL', { path: '/data' }));
  const refusing = await apiFixture({ store: { ...fixture.ports.store, create } });
  expect(await refusing.call('POST', '/deployments', request)).toMatchObject({
    status: 507,
    body: { code: 'DISK_FULL' },
  });
});

test('/healthz tells why the platform cannot work', async () => {
  const sick = await apiFixture({ health: async () => 'There is no space left.' });
  expect(await sick.call('GET', '/healthz', undefined, { as: null })).toMatchObject({
    status: 503,
    body: { status: 'unwell', reason: 'There is no space left.' },
  });
  const well = await apiFixture({ health: async () => null });
  expect(await well.call('GET', '/healthz', undefined, { as: null })).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  });
});
