import { VerenError } from '../../../contract/errors.ts';
import { limitOwners } from '../../../lambdas/shared/people/limitOwners.ts';
import { measureStorage } from '../../../lambdas/shared/people/storageUse.ts';
import { memoryRateLimit } from '../../../local/adapters/memory/rateLimit.ts';
import { apiFixture } from '../../support/api.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const GIB = 1_024 ** 3;
const gitUrl = 'https://git.example/x.git';

describe('limits of an owner', () => {
  test('requests: 429 with a sentence and the time to wait, for this owner alone', async () => {
    const clock = fakeClock();
    const limits = { all: { requestsPerMinute: 3 }, owners: { bob: { requestsPerMinute: 5 } } };
    const api = await apiFixture({ clock, limits });
    const statuses = async (as: string, n: number) => {
      const got = [];
      for (let i = 0; i < n; i++) got.push((await api.call('GET', '/deployments', undefined, { as })).status);
      return got;
    };
    expect(await statuses('ada', 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses('bob', 6)).toEqual([200, 200, 200, 200, 200, 429]);
    const { body, headers } = await api.call('GET', '/deployments');
    expect(body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(body.detail).toMatch(/^The owner is over a limit: 3 requests a minute. Try again in \d+ s;/);
    const wait = Number(headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    clock.advance(wait * 1_000);
    expect(await statuses('ada', 1)).toEqual([200]);
    // Without a token nothing is counted, and nobody is locked out by others.
    for (let i = 0; i < 10; i++)
      expect((await api.call('GET', '/deployments', undefined, { as: 'wrong' })).status).toBe(401);
    expect((await api.call('GET', '/healthz', undefined, { as: null })).status).toBe(200);
  });

  test('what is forbidden or not found counts, too', async () => {
    const api = await apiFixture({ limits: { all: { requestsPerMinute: 4 }, owners: {} } });
    const { token } = (await api.call('POST', '/tokens', { name: 'r', scope: 'read' })).body;
    const as = token as string;
    const answers = [];
    for (const path of ['/tokens', '/nowhere', '/deployments/x', '/tokens'])
      answers.push((await api.call('GET', path, undefined, { as })).status);
    expect(answers).toEqual([403, 404, 404, 429]);
  });

  test('deployments and redeployments count together, and reading goes on', async () => {
    const api = await apiFixture({ limits: { all: { deploymentsPerHour: 2 }, owners: {} } });
    const first = await api.call('POST', '/deployments', { projectId: 'shop', gitUrl });
    const id = first.body.deploymentId;
    expect((await api.call('POST', `/deployments/${id}/redeploy`)).status).toBe(202);
    for (const path of ['/deployments', `/deployments/${id}/redeploy`]) {
      const body = path === '/deployments' ? { projectId: 'shop', gitUrl } : undefined;
      const answer = await api.call('POST', path, body);
      expect([answer.status, answer.body.code]).toEqual([429, 'RATE_LIMITED']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(60);
    }
    expect((await api.call('GET', '/deployments')).body.items).toHaveLength(2);
  });

  test('storage: a deployment is refused while the projects take too much, and accepted after they take less', async () => {
    const clock = fakeClock();
    const s3 = memoryS3();
    const storage = { s3, bucket: 'bucket', clock };
    const sizes = new Map([['__deployments/shop/d1/files/video', GIB]]);
    const measure = measureStorage({
      ...storage,
      projects: { list: async () => ['shop', 'blog'] },
      s3: {
        send: (async (command: { constructor: { name: string }; input: { Prefix: string } }) => {
          if (command.constructor.name !== 'ListObjectsV2Command') return s3.send(command as never);
          const found = [...sizes].filter(([key]) => key.startsWith(command.input.Prefix));
          return { Contents: found.map(([Key, Size]) => ({ Key, Size })) };
        }) as never,
      },
    });
    const limits = { all: { storageGiB: 1 }, owners: {} };
    const limiter = limitOwners({ rateLimit: memoryRateLimit(clock), limits, measureStorage: measure, log: silentLog });
    const api = await apiFixture({ clock, limits, limiter, measureStorage: measure });
    const deploy = () => api.call('POST', '/deployments', { projectId: 'shop', gitUrl });
    expect((await deploy()).body).toMatchObject({
      status: 429,
      code: 'STORAGE_FULL',
      detail: expect.stringContaining("The owner's projects take 1.0 GiB of the 1 GiB that they may take."),
    });
    sizes.clear();
    sizes.set('__cache/blog/production/x', 5);
    // Who is over the limit is counted again, and not more than once a minute.
    expect((await deploy()).status).toBe(429);
    clock.advance(60_000);
    expect((await deploy()).status).toBe(202);
    expect(await measure('ada')).toEqual({ bytes: 5, uncounted: 0 });
    // Who is below it is counted once an hour; versions of variables count, too.
    sizes.set('__variables/shop/1.json', GIB);
    clock.advance(3_599_000);
    expect((await deploy()).status).toBe(202);
    clock.advance(1_000);
    expect((await deploy()).status).toBe(429);
  });

  test('counting what is stored stops after two seconds, and the next request goes on', async () => {
    const clock = fakeClock();
    const s3 = memoryS3();
    const ids = ['a', 'b', 'c'];
    for (const id of ids) s3.objects.set(`__outputs/${id}/index.html`, 'x'.repeat(10));
    const slow = {
      send: (async (command: { constructor: { name: string } }) => {
        if (command.constructor.name === 'ListObjectsV2Command') clock.advance(1_000);
        return s3.send(command as never);
      }) as never,
    };
    const measure = measureStorage({ s3: slow, bucket: 'bucket', clock, projects: { list: async () => ids } });
    expect(await measure('ada')).toEqual({ bytes: 10, uncounted: 2 });
    expect(await measure('ada')).toEqual({ bytes: 20, uncounted: 1 });
    expect(await measure('ada')).toEqual({ bytes: 30, uncounted: 0 });
    ids.shift();
    expect(await measure('ada')).toEqual({ bytes: 20, uncounted: 0 });
  });

  test('a count that finds no room to be kept is told all the same', async () => {
    const s3 = memoryS3();
    s3.objects.set('__outputs/a/index.html', 'x'.repeat(10));
    const full = {
      send: (async (command: { constructor: { name: string } }) => {
        if (command.constructor.name === 'PutObjectCommand')
          throw Object.assign(new Error('full'), { name: 'SlowDown' });
        return s3.send(command as never);
      }) as never,
    };
    const projects = { list: async () => ['a'] };
    const measure = measureStorage({ s3: full, bucket: 'bucket', clock: fakeClock(), projects });
    expect(await measure('ada')).toEqual({ bytes: 10, uncounted: 0 });
  });

  test('a counter that is away refuses nobody', async () => {
    const away = async () => {
      throw new VerenError('UNAVAILABLE', { reason: 'Redis cannot be reached' });
    };
    const limiter = limitOwners({
      rateLimit: { take: away, count: away },
      limits: { all: { requestsPerMinute: 1, deploymentsPerHour: 1 }, owners: {} },
      measureStorage: async () => ({ bytes: 0, uncounted: 0 }),
      log: silentLog,
    });
    await limiter.limitRequest('ada');
    await limiter.limitDeployment('ada');
  });

  test('GET /usage shows what is used and what is allowed', async () => {
    const limits = { all: { builds: 2, deploymentsPerHour: 9 }, owners: { ada: { storageGiB: 3 } } };
    const api = await apiFixture({ limits });
    await api.call('POST', '/deployments', { projectId: 'shop', gitUrl });
    await api.call('PUT', '/members/eve', { role: 'viewer' });
    const job = { id: 'j', owner: 'ada', projectId: 'shop', data: {} };
    await api.ports.queue.enqueue('build', job);
    await api.ports.queue.enqueue('build', { ...job, id: 'k', owner: 'bob' });
    expect((await api.call('GET', '/usage')).body).toEqual({
      builds: { used: 0, limit: 2, waiting: 1 },
      // Counted also without a limit, this request included.
      requestsPerMinute: { used: 3 },
      deploymentsPerHour: { used: 1, limit: 9 },
      storageBytes: { used: 0, limit: 3 * GIB, uncountedProjects: 0 },
      members: { used: 1, limit: 200 },
      tokens: { used: 0, limit: 200 },
    });
  });
});
