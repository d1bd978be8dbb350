import { apiFixture } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';

test('the queue: what runs, then what waits, of the own projects; places count everybody’s jobs', async () => {
  const clock = fakeClock();
  const api = await apiFixture({ clock, limits: { all: { builds: 3 }, owners: {} } });
  const { queue } = api.ports;
  const build = (deploymentId: string, projectId: string, owner = 'ada') =>
    queue.enqueue('build', {
      id: `${deploymentId}/frontend`,
      ...{ owner, projectId },
      data: { deploymentId, projectId, owner, target: 'frontend' },
    });
  await build('d1', 'shop');
  await build('d2', 'theirs', 'bob');
  await build('d3', 'blog');
  await queue.claim('build', { leaseMs: 60_000 });
  const since = new Date(clock.now()).toISOString();
  clock.advance(1_000);
  await queue.enqueue('clone', { id: 'd4', owner: 'ada', projectId: 'shop', data: { deploymentId: 'd4' } });

  const { status, body } = await api.call('GET', '/queue');
  expect(status).toBe(200);
  expect(body).toEqual({
    items: [
      { deploymentId: 'd1', projectId: 'shop', target: 'frontend', state: 'running', attempt: 1, since },
      {
        ...{ deploymentId: 'd4', projectId: 'shop', state: 'waiting', position: 1, attempt: 1 },
        since: new Date(clock.now()).toISOString(),
      },
      {
        ...{ deploymentId: 'd3', projectId: 'blog', target: 'frontend', state: 'waiting', position: 2, attempt: 1 },
        since,
      },
    ],
    limits: { builds: 3 },
  });
  const { token } = (await api.call('POST', '/tokens', { name: 'b', scope: 'read', projects: ['blog'] })).body;
  const limited = await api.call('GET', '/queue', undefined, { as: token });
  expect(limited.body.items.map((item: { projectId: string }) => item.projectId)).toEqual(['blog']);
});

test('a deployment is there once, as it is furthest, also while it is taken or its analysis comes to its end', async () => {
  const api = await apiFixture();
  const { queue } = api.ports;
  const common = { owner: 'ada', projectId: 'shop' };
  await queue.enqueue('clone', { id: 'd1', ...common, data: { deploymentId: 'd1' } });
  await queue.claim('clone', { leaseMs: 60_000 });
  await queue.enqueue('build', { id: 'd1/frontend', ...common, data: { deploymentId: 'd1', target: 'frontend' } });
  const told = async () =>
    (await api.call('GET', '/queue')).body.items.map((item: object) => ({ ...item, since: undefined }));
  const item = { deploymentId: 'd1', projectId: 'shop', target: 'frontend', attempt: 1 };
  expect(await told()).toEqual([{ ...item, state: 'waiting', position: 1 }]);

  // Taken right after what waits was listed.
  const { list } = queue;
  jest.spyOn(queue, 'list').mockImplementation(async (name, state) => {
    const jobs = await list(name, state);
    if (name === 'build' && state === 'waiting') await queue.claim('build', { leaseMs: 60_000 });
    return jobs;
  });
  expect(await told()).toEqual([{ ...item, state: 'running' }]);
});

test('a build that is tried again says until when it waits', async () => {
  const clock = fakeClock();
  const api = await apiFixture({ clock });
  const { queue } = api.ports;
  await queue.enqueue('build', {
    ...{ id: 'd1/backend', owner: 'ada', projectId: 'shop' },
    data: { deploymentId: 'd1', target: 'backend' },
  });
  await queue.claim('build', { leaseMs: 60_000 });
  await queue.retry('build', 'd1/backend', 1, 30_000);
  const [item] = (await api.call('GET', '/queue')).body.items;
  expect(item).toMatchObject({ state: 'waiting', attempt: 2, notBefore: new Date(clock.now() + 30_000).toISOString() });
});

test('what is set up with a git host is told, and no secret of it', async () => {
  const api = await apiFixture();
  const gitUrl = 'https://github.com/ada/shop.git';
  await api.call('PUT', '/projects/shop', { gitUrl });
  const nothing = { events: [], webhook: { made: false }, token: false };
  expect((await api.call('GET', '/projects/shop/git')).body).toEqual(nothing);

  await api.call('PATCH', '/projects/shop', { connection: { host: 'github', repository: 'ada/shop' } });
  const secrets = [];
  for (let i = 0; i < 2; i++) secrets.push((await api.call('POST', '/projects/shop/webhook')).body.secret);
  await api.call('PUT', '/projects/shop/git-token', { token: 'ghp_secret' });
  const { body } = await api.call('GET', '/projects/shop/git');
  expect(body).toMatchObject({
    hookUrl: expect.stringMatching(/\/hooks\/github\/shop$/),
    events: ['push', 'pull_request', 'repository'],
    webhook: { made: true, formerUntil: expect.any(String) },
    token: true,
  });
  for (const secret of [...secrets, 'ghp_secret']) expect(JSON.stringify(body)).not.toContain(secret);
  expect((await api.call('GET', '/projects/shop/git', undefined, { as: 'bob' })).status).toBe(404);
});
