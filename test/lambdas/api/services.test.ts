import type { ServiceReports } from '../../../lambdas/shared/services/servicePort.ts';
import { apiFixture } from '../../support/api.ts';
import { backendPlan, event, frontendPlan } from '../../support/events.ts';

/** What the platform says of services: nothing runs, and every question is counted. */
function quietServices() {
  const asked: string[] = [];
  const services: ServiceReports = {
    async list(projectId) {
      asked.push(projectId);
      return [];
    },
    readLog: async () => [],
    counts: async () => ({
      since: new Date(0).toISOString(),
      requests: 0,
      errors: 0,
      coldStarts: 0,
      durationMs: { mean: 0, max: 0 },
    }),
  };
  return { asked, services };
}

test.each([
  ['there are no services', {}],
  ['an answer is sent when it is whole', { services: quietServices().services, logStreamUrl: 'https://logs.example' }],
])('a log that is followed ends at once where %s', async (_, over) => {
  const { call, projects } = await apiFixture(over);
  await projects.ensure('shop', 'ada', {});
  expect(await call('GET', '/projects/shop/logs?follow=true')).toMatchObject({ status: 200 });
});

test('a page of deployments asks once for what runs of a project, and is given where that is not known', async () => {
  const { asked, services } = quietServices();
  const { call, ports } = await apiFixture({ services });
  for (let i = 0; i < 3; i++) {
    const { body } = await call('POST', '/deployments', { projectId: 'shop', gitUrl: 'https://git.example/a.git' });
    const { deploymentId } = body;
    const analyzed = event(i + 1, { type: 'deployment.analyzed', plan: backendPlan() }, deploymentId);
    await ports.store.fold(deploymentId, [analyzed]);
  }
  expect((await call('GET', '/deployments')).body.items).toHaveLength(3);
  expect(asked).toEqual(['shop']);
  services.list = async () => {
    throw new Error('throttled');
  };
  expect((await call('GET', '/deployments')).body.items).toHaveLength(3);
});

test('what a fork has proposed is not released', async () => {
  const { call, ports } = await apiFixture({});
  const { body } = await call('POST', '/deployments', { projectId: 'shop', gitUrl: 'https://git.example/a.git' });
  const { deploymentId } = body;
  const artifact = { kind: 'static' as const, bucket: 'b', prefix: 'x', files: 1, bytes: 5 };
  await ports.store.fold(deploymentId, [
    event(1, { type: 'deployment.analyzed', plan: { ...frontendPlan(), lane: 'untrusted' } }, deploymentId),
    event(2, { type: 'build.succeeded', target: 'frontend', attempt: 1, artifact, logLines: 0 }, deploymentId),
  ]);
  for (const [path, request] of [
    [`/deployments/${deploymentId}/promote`, undefined],
    ['/projects/shop/rollback', { deploymentId }],
  ] as const)
    expect(await call('POST', path, request)).toMatchObject({
      status: 409,
      body: { code: 'UNTRUSTED_NOT_RELEASABLE' },
    });
});

describe('releasing the current variables', () => {
  const ask = { variables: 'current' };

  async function released(over: { artifact?: object; hasObject?: boolean; state?: 'not-run' } = {}) {
    const { services } = quietServices();
    const fixture = await apiFixture({ services, hasObject: async () => over.hasObject ?? true });
    const { call, ports, projects } = fixture;
    const { body } = await call('POST', '/deployments', { projectId: 'shop', gitUrl: 'https://git.example/a.git' });
    const { deploymentId } = body;
    const folder = {
      ...{ kind: 'folder', bucket: 'b', key: 'k', digest: 'd', bytes: 1 },
      start: { argv: ['node'], cwd: '.', nodeMajor: 24, variables: {} },
    };
    const artifact = over.artifact ?? folder;
    const target = artifact === folder ? ('backend' as const) : ('frontend' as const);
    await ports.store.fold(deploymentId, [
      event(
        1,
        { type: 'deployment.analyzed', plan: target === 'backend' ? backendPlan() : frontendPlan() },
        deploymentId,
      ),
      event(2, { type: 'build.succeeded', target, attempt: 1, artifact: artifact as never, logLines: 0 }, deploymentId),
    ]);
    const status = {
      deploymentId,
      variables: 0,
      isProduction: false,
      state: 'not-run' as const,
      reason: 'it is an image',
    };
    if (over.state) services.list = async () => [status];
    expect((await call('POST', `/deployments/${deploymentId}/promote`)).status).toBe(202);
    return { ...fixture, deploymentId, projects };
  }
  const codeOf = ({ status, body }: { status: number; body: { code?: string; detail?: string } }) => [
    status,
    body.code,
  ];

  test('asks for a start, once', async () => {
    const { call, ports, deploymentId } = await released();
    await call('PUT', '/projects/shop/variables/GREETING', { value: 'hello' });
    const one = await call('POST', '/projects/shop/releases', ask);
    const two = await call('POST', '/projects/shop/releases', ask);
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(one.body).toMatchObject({
      release: { deploymentId },
      nextRelease: { deploymentId, variables: { version: 1 }, targets: ['backend'] },
    });
    expect(one.body.note).toBeUndefined();
    expect(two.body.nextRelease).toEqual(one.body.nextRelease);
    expect(await ports.queue.list('service', 'waiting')).toHaveLength(1);
    // A value that a newer request names takes its place.
    await call('PUT', '/projects/shop/variables/GREETING', { value: 'good day' });
    const three = await call('POST', '/projects/shop/releases', ask);
    expect(three.body.nextRelease).toMatchObject({ variables: { version: 2 } });
  });

  test('is refused with the reason', async () => {
    const site = { artifact: { kind: 'static', bucket: 'b', prefix: 'x', files: 1, bytes: 5 } };
    const noBackend = await released(site);
    expect(codeOf(await noBackend.call('POST', '/projects/shop/releases', ask))).toEqual([
      409,
      'VARIABLES_NOT_RELEASABLE',
    ]);
    const named = await noBackend.call('POST', '/projects/shop/releases', {
      ...ask,
      deploymentId: noBackend.deploymentId,
    });
    expect([...codeOf(named), named.body.detail]).toEqual([
      409,
      'VARIABLES_NOT_RELEASABLE',
      expect.stringContaining('no backend'),
    ]);
    const gone = await released({ hasObject: false });
    expect(codeOf(await gone.call('POST', '/projects/shop/releases', ask))).toEqual([409, 'DEPLOYMENT_EXPIRED']);
    const image = await released({ state: 'not-run' });
    const refused = await image.call('POST', '/projects/shop/releases', ask);
    expect([...codeOf(refused), refused.body.detail]).toEqual([
      409,
      'VARIABLES_NOT_RELEASABLE',
      expect.stringContaining('it is an image'),
    ]);
    const without = await apiFixture({});
    await without.projects.ensure('shop', 'ada', {});
    expect(codeOf(await without.call('POST', '/projects/shop/releases', ask))).toEqual([
      409,
      'VARIABLES_NOT_RELEASABLE',
    ]);
  });
});
