import { createHmac } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { appApi } from '../../../lambdas/api/githubApp/finishApp.ts';
import { composeCloneWorker } from '../../../lambdas/clone-worker/compose.ts';
import type { ProjectRequest } from '../../../lambdas/clone-worker/projectSettings.ts';
import { LAPTOP_POLICY, PUBLIC_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { apiFixture } from '../../support/api.ts';
import { scene } from '../../support/controlPlane/scene.ts';
import { openWorld, type World } from '../../support/controlPlane/world.ts';
import { frontendPlan } from '../../support/events.ts';
import { eventually } from '../../support/eventually.ts';
import { APP_ID, githubDouble, HOOK_SECRET, isActive } from '../../support/gitHosts/githubDouble.ts';
import { silentLog } from '../../support/log.ts';
import { commitOf, gitStage } from './gitStage.ts';

const urlSigner = async () => 'http://storage.example/pack';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const kept = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};

const openApi = async () => {
  const api = await apiFixture();
  return { ...api, close: () => api.ports.close() };
};

/** An owner's App on a double of GitHub, and a project that is connected by it. */
async function stage() {
  const git = kept(await gitStage());
  const github = kept(await githubDouble({ repository: 'ada/shop', now: git.clock.now }));
  const start = async () => (await git.call('POST', '/github-app/start', { url: github.webUrl })).body;
  const finish = (state: string, code = github.newCode()) => git.call('POST', '/github-app/finish', { code, state });
  const connect = (settings: object = {}) =>
    git.call('PUT', '/projects/shop', {
      gitUrl: github.gitUrl,
      productionBranch: 'main',
      connection: { host: 'github', repository: 'ada/shop', app: true },
      ...settings,
    });
  const deliver = (event: string, body: object, { secret = HOOK_SECRET, owner = 'ada' } = {}) => {
    const text = JSON.stringify(body);
    const signature = `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
    const headers = { 'X-GitHub-Event': event, 'X-GitHub-Delivery': text, 'X-Hub-Signature-256': signature };
    return git.request(`/hooks/github-app/${owner}`, { method: 'POST', headers, body: text });
  };
  const pushed = (commit: string, repository = 'ada/shop') => ({
    ...git.pushed('main', commit),
    installation: { id: 77 },
    repository: { id: 1, full_name: repository, clone_url: 'https://evil.example/x.git' },
  });
  return { ...git, github, start, finish, connect, deliver, pushed };
}

describe('making the App', () => {
  test('two calls: what GitHub is sent, and what it gives for the code; no secret is shown or stored in clear text', async () => {
    const { start, finish, call, request, github, s3 } = await stage();
    const begun = await start();
    expect(begun.action).toBe(`${github.webUrl}/settings/apps/new?state=${encodeURIComponent(begun.state)}`);
    expect(JSON.parse(begun.manifest)).toMatchObject({
      public: false,
      redirect_url: 'http://api.example/github-app/created',
      hook_attributes: { url: 'http://api.example/hooks/github-app/ada', active: true },
      default_permissions: { contents: 'read', checks: 'write', deployments: 'write' },
    });
    expect(begun.page).toContain('<form method="post"');
    const shown = await request('/github-app/created?code=<b>c&state=s', { method: 'GET' });
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await shown.text()).not.toContain('<b>');

    expect((await finish('1.1.nonsense')).body.code).toBe('GIT_APP_STATE_INVALID');
    expect((await finish(begun.state, 'used')).body).toMatchObject({ status: 422, code: 'GIT_APP_REFUSED' });
    const made = await finish(begun.state);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ appId: APP_ID, slug: 'veren-test', createdBy: 'ada' });
    expect(made.body.installUrl).toBe(`${github.webUrl}/github-apps/veren-test/installations/new`);
    expect((await call('GET', '/github-app')).body).toEqual(made.body);
    const seen = JSON.stringify([made.body, ...[...s3.objects.values()].map(String)]);
    expect(seen).not.toMatch(/PRIVATE KEY|hook-secret|client-secret/);

    expect((await call('POST', '/github-app/start', {})).body.code).toBe('GIT_APP_EXISTS');
    expect((await call('DELETE', '/github-app')).status).toBe(204);
    expect((await call('GET', '/github-app')).body.code).toBe('GIT_APP_MISSING');
  });

  test('a host that is not there is the user’s to correct, one that does not answer is waited for', async () => {
    const { start, finish, call, github } = await stage();
    const server = createServer((socket) => socket.end('hello\r\n', () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    kept({ close: () => new Promise((resolve) => server.close(resolve)) });
    const { port } = server.address() as AddressInfo;
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port: free } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    for (const [url, reason] of [
      ['http://nobody.invalid', 'ENOTFOUND'],
      [`http://127.0.0.1:${free}`, 'ECONNREFUSED'],
      [`https://127.0.0.1:${port}`, 'E'],
      [`http://127.0.0.1:${port}`, 'HPE_'],
    ]) {
      const { state } = (await call('POST', '/github-app/start', { url })).body;
      const { body } = await finish(state, 'some-code');
      expect(body).toMatchObject({ status: 422, code: 'GIT_HOST_UNREACHABLE' });
      expect(body.detail).toContain(reason);
    }
    const begun = await start();
    github.state.fault = () => ({ status: 503 });
    expect((await finish(begun.state)).body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  });

  test('a state is good for an hour', async () => {
    const { start, finish, clock } = await stage();
    const { state } = await start();
    clock.advance(3_600_001);
    expect((await finish(state)).body.code).toBe('GIT_APP_STATE_INVALID');
  });

  test('a GitHub Enterprise Server has to be one that the operator has named', () => {
    const at = (apiHosts: string[]) => appApi('https://ghe.example', { policy: PUBLIC_POLICY, apiHosts }).url;
    expect(() => at([])).toThrow('the operator has not named this host');
    expect(at(['ghe.example'])).toBe('https://ghe.example/api/v3');
    expect(appApi('https://github.com', { policy: PUBLIC_POLICY, apiHosts: [] }).url).toBe('https://api.github.com');
  });
});

describe('with the App', () => {
  test('a push is deployed, and each reading of the repository gets a token for it alone', async () => {
    const { start, finish, connect, deliver, pushed, setRef, worker, github, asked, deployments, requestOf, ...of } =
      await stage();
    await finish((await start()).state);
    await connect();
    setRef('main', commitOf(1), github.gitUrl);
    expect((await deliver('push', pushed(commitOf(1)), { secret: 'forged' })).status).toBe(401);
    expect((await deliver('push', pushed(commitOf(1)), { owner: 'bob' })).status).toBe(401);
    const other = await deliver('push', pushed(commitOf(1), 'ada/other'));
    expect(await other.json()).toMatchObject({ status: 'ignored' });
    expect(await (await deliver('push', pushed(commitOf(1)))).json()).toMatchObject({ status: 'accepted' });
    await worker();
    const [record] = await deployments();
    expect(record).toMatchObject({ gitUrl: github.gitUrl, trigger: { kind: 'push', commit: commitOf(1) } });
    expect(github.isValid(asked.at(-1)!.gitToken!)).toBe(true);
    expect(github.asked).toEqual([{ repositories: ['shop'], permissions: { contents: 'read' } }]);
    const request = await requestOf(record!.deploymentId);
    expect(request).toMatchObject({ gitApp: { repository: 'ada/shop' } });
    expect(JSON.stringify(request)).not.toContain('ghs_');

    // It waits for longer than a token lives.
    of.clock.advance(2 * 3_600_000);
    const read: ProjectRequest[] = [];
    const analyze = async (project: ProjectRequest) => {
      read.push(project);
      return frontendPlan();
    };
    const { ports, secretBox, s3, clock } = of;
    await composeCloneWorker(
      { ...ports, secretBox, s3, clock, urlSigner, analyze, log: silentLog, waker: { wake: async () => undefined } },
      { bucket: 'bucket', builders: '1', gitPolicy: LAPTOP_POLICY },
    )();
    expect(read).toHaveLength(1);
    expect(github.isValid(read[0]!.gitToken!)).toBe(true);
    const [build] = await ports.queue.list('build', 'waiting');
    expect(build?.data).toMatchObject({ gitApp: { repository: 'ada/shop' } });
    expect(JSON.stringify(build)).not.toContain('ghs_');
  });

  test('what is deployed again reads by the App only where the project still does', async () => {
    const { start, finish, connect, deliver, pushed, setRef, worker, github, deployments, requestOf, call } =
      await stage();
    await finish((await start()).state);
    await connect();
    setRef('main', commitOf(1), github.gitUrl);
    await deliver('push', pushed(commitOf(1)));
    await worker();
    const id = (await deployments())[0]!.deploymentId;
    const again = async () => {
      const { status, body } = await call('POST', `/deployments/${id}/redeploy`);
      expect(status).toBe(202);
      return (await requestOf(body.deploymentId)).gitApp;
    };
    expect(await again()).toEqual({ repository: 'ada/shop' });
    await call('PATCH', '/projects/shop', { connection: { app: null } });
    expect(await again()).toBeUndefined();
    await connect({ gitUrl: 'https://github.example/ada/other.git' });
    expect(await again()).toBeUndefined();
  });

  test('a project that names another host or repository than its App gets no token', async () => {
    const { start, finish, connect, deliver, pushed, github, call, ...rest } = await stage();
    await finish((await start()).state);
    await connect({ gitUrl: 'https://thief.example/ada/shop.git' });
    expect(await (await deliver('push', pushed(commitOf(1)))).json()).toMatchObject({ status: 'ignored' });
    const hook = await call('POST', '/projects/shop/deploy-hooks', { name: 'cms' });
    expect((await call('POST', new URL(hook.body.url).pathname)).status).toBe(202);
    const failed: string[] = [];
    const { ports, secretBox, s3, clock } = rest;
    const bus = { publish: async (...of: unknown[]) => void failed.push(JSON.stringify(of)) };
    await composeCloneWorker(
      {
        ...{ ...ports, bus, secretBox, s3, clock, urlSigner, log: silentLog, waker: { wake: async () => undefined } },
        analyze: async () => {
          throw new Error('it must not be read');
        },
      },
      { bucket: 'bucket', builders: '1', gitPolicy: LAPTOP_POLICY },
    )();
    expect(failed.join()).toContain('GIT_APP_REFUSED');
    expect(github.asked).toEqual([]);
  });
});

test('a token that is limited to projects may not choose which repository the App reads', async () => {
  const api = kept(await openApi());
  const of = (repository: string) => ({
    gitUrl: `https://github.com/${repository}`,
    connection: { host: 'github', repository, app: true },
  });
  expect((await api.call('PUT', '/projects/shop', of('ada/shop'))).status).toBe(201);
  const { token } = (await api.call('POST', '/tokens', { name: 'ci', scope: 'admin', projects: ['shop', 'new'] })).body;
  const send = async (method: string, path: string, body: object) =>
    (await api.call(method, path, body, { as: token })).status;
  expect(await send('PUT', '/projects/shop', of('ada/secrets'))).toBe(403);
  expect(await send('PUT', '/projects/new', of('ada/secrets'))).toBe(403);
  expect(await send('PATCH', '/projects/shop', of('ada/secrets'))).toBe(403);
  expect(await send('PATCH', '/projects/shop', { productionBranch: 'next' })).toBe(200);
  expect(await send('POST', '/github-app/start', {})).toBe(403);
  const gitea = { ...of('ada/shop'), connection: { ...of('ada/shop').connection, host: 'gitea' } };
  expect((await api.call('PUT', '/projects/shop', gitea)).body.errors).toMatchObject([
    { field: 'connection.app', message: expect.stringContaining('"github" alone') },
  ]);
});

describe('what GitHub shows', () => {
  let world: World;
  // An owner has one App.
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  test('one check run per deployment and its environment, from the call of a deploy hook to the end', async () => {
    const github = kept(await githubDouble({ repository: 'ada/shop', now: Date.now }));
    const analyze = async () => ({
      ...frontendPlan(),
      commit: 'c'.repeat(40),
      branch: 'main',
      environment: 'production' as const,
    });
    await scene(world, { analyze }, async ({ plane, end }) => {
      const { state } = (await plane.call('POST', '/github-app/start', { url: github.webUrl })).body;
      expect((await plane.call('POST', '/github-app/finish', { code: github.newCode(), state })).status).toBe(201);
      const connection = { host: 'github', repository: 'ada/shop', app: true };
      await plane.call('PUT', '/projects/app-shop', { gitUrl: github.gitUrl, connection });
      const hook = (await plane.call('POST', '/projects/app-shop/deploy-hooks', { name: 'cms' })).body;
      const deploy = async () => {
        const { body } = await plane.call('POST', new URL(hook.url as string).pathname);
        await end(body.deploymentId as string);
        return body.deploymentId as string;
      };
      // A report that was not taken is tried again with the next sweep.
      const isShown = async (nth: number) => {
        await plane.watch();
        return github.checks[nth]?.status === 'completed' && github.deployments[nth]?.states.includes('success');
      };
      const first = await deploy();
      await eventually(() => isShown(0));
      const second = await deploy();
      await eventually(() => isShown(1));
      const reads = () => github.asked.filter(({ permissions }) => permissions.contents === 'read').length;
      const before = reads();
      await end(await plane.deploy({ projectId: 'app-shop', gitUrl: github.gitUrl }));
      expect(reads()).toBe(before + 2);
      // Another repository than the project's own is none of the App's.
      await end(await plane.deploy({ projectId: 'app-shop', gitUrl: `${github.webUrl}/ada/other.git` }));
      expect(reads()).toBe(before + 2);
      expect(github.checks.slice(0, 2)).toMatchObject([
        { external_id: first, name: 'veren/app-shop', conclusion: 'success', head_sha: 'c'.repeat(40) },
        { external_id: second, conclusion: 'success' },
      ]);
      expect(github.deployments.slice(0, 2)).toMatchObject([
        { ref: 'c'.repeat(40), environment: 'Production – app-shop' },
        { ref: 'c'.repeat(40) },
      ]);
      expect(github.checks[1]!.output.title).toContain('Deployed after');
    });
    // The hook, the analysis and the start of the build read; nothing has more rights, or another repository.
    const purposes = github.asked.map(({ permissions }) => Object.keys(permissions).toSorted().join());
    expect(new Set(purposes)).toEqual(new Set(['contents', 'checks,deployments,pull_requests,statuses']));
    expect(purposes.filter((one) => one === 'contents').length).toBeGreaterThanOrEqual(3);
    expect(github.asked.every(({ repositories }) => repositories.join() === 'shop')).toBe(true);
  }, 120_000);

  test('its environments show what production shows, through releases, rollbacks and faults of GitHub', async () => {
    const github = kept(await githubDouble({ repository: 'ada/shop', now: Date.now }));
    let commits = 0;
    const analyze = async () => ({
      ...frontendPlan(),
      commit: commitOf(++commits),
      branch: 'main',
      environment: 'production' as const,
    });
    await scene(world, { analyze }, async ({ plane, end }) => {
      const { state } = (await plane.call('POST', '/github-app/start', { url: github.webUrl })).body;
      expect((await plane.call('POST', '/github-app/finish', { code: github.newCode(), state })).status).toBe(201);
      const connection = { host: 'github', repository: 'ada/shop', app: true };
      await plane.call('PUT', '/projects/app-back', { gitUrl: github.gitUrl, connection });
      // Every third writing of an environment's state is not taken at first.
      let writes = 0;
      github.state.fault = ({ method, url }) =>
        method === 'POST' && url.endsWith('/statuses') && writes++ % 3 === 0 ? { status: 502 } : undefined;
      const active = () => github.deployments.filter(isActive).map(({ ref }) => ref);
      const shows = (commit: string) =>
        eventually(async () => {
          await plane.watch();
          return active().length === 1 && active()[0] === commit;
        });
      const deploy = async () => {
        const id = await plane.deploy({ projectId: 'app-back', gitUrl: github.gitUrl });
        await end(id);
        return id;
      };
      const first = await deploy();
      await shows(commitOf(1));
      const second = await deploy();
      await shows(commitOf(2));
      const back = await plane.call('POST', '/projects/app-back/rollback', { reason: 'it is slow' });
      expect(back.status).toBe(202);
      await shows(commitOf(1));
      // What is built now is not shown.
      expect((await plane.call('POST', '/projects/app-back/pin', {})).status).toBe(200);
      await deploy();
      await eventually(async () => {
        await plane.watch();
        return github.checks.some(({ head_sha, status }) => head_sha === commitOf(3) && status === 'completed');
      });
      await shows(commitOf(1));
      for (const [deploymentId, commit] of [
        [second, commitOf(2)],
        [first, commitOf(1)],
        [second, commitOf(2)],
      ] as const) {
        expect((await plane.call('POST', `/deployments/${deploymentId}/promote`, {})).status).toBe(202);
        await shows(commit);
      }
      // One for each deployment, and one for each time that it came back.
      const shown = github.deployments.map(({ ref }) => ref).filter((ref) => ref !== commitOf(3));
      expect(shown).toEqual([1, 2, 1, 2, 1, 2].map(commitOf));
    });
  }, 120_000);
});
