import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Problem } from '../../contract/api.ts';
import { type GitServer, makeRepo, startGitServer } from '../support/gitServer.ts';
import { exampleRepository, HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** Repositories behind a real `git http-backend`, the platform as `npm start` has it, everything through HTTP. */
const TOKEN = 'token-of-a-private-repository';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let repos: string;
let veren: Veren;
let open: GitServer;
let closed: GitServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  repos = join(folder.path, 'repos');
  await mkdir(repos);
  open = await startGitServer({ repos });
  closed = await startGitServer({ repos, token: TOKEN });
  veren = await startVeren(join(folder.path, 'data'));
}, 180_000);

afterAll(async () => {
  await veren.stop();
  await Promise.all([open.close(), closed.close()]);
  await folder.remove();
}, 180_000);

const refusal = async (work: Promise<unknown>): Promise<Problem> => {
  const problem = await work.then(
    () => null,
    (e: { problem: Problem }) => e.problem,
  );
  if (!problem) throw new Error('it was not refused');
  return problem;
};

describe('POST /analyze', () => {
  it('plans every example', async () => {
    const names = await readdir(resolve(__dirname, '../../examples'));
    for (const name of names) {
      await exampleRepository(name, repos);
      const plan = await veren.client.analyze({ gitUrl: `${open.url}/${name}` });
      const targets = [plan.frontend, plan.backend].filter((t) => t !== undefined);
      expect({ name, targets: targets.length }).toEqual({ name, targets: name === 'fullstack' ? 2 : 1 });
      for (const target of targets) for (const { rule } of target.evidence) expect(rule).not.toBe('');
    }
    expect(names.length).toBeGreaterThanOrEqual(4);
  }, 180_000);

  it('finds both sides of a workspace', async () => {
    const app = (name: string, more: object) => JSON.stringify({ name, ...more });
    makeRepo(join(repos, 'monorepo'), {
      'package.json': app('root', { workspaces: ['apps/*'] }),
      'package-lock.json': '{"lockfileVersion":3,"packages":{}}',
      'apps/site/package.json': app('site', { scripts: { build: 'vite build' }, devDependencies: { vite: '8.0.0' } }),
      'apps/site/index.html': '<div id="app"></div>',
      'apps/api/package.json': app('api', { scripts: { start: 'node server.js' }, dependencies: { express: '5.0.0' } }),
      'apps/api/server.js': 'require("express")().listen(process.env.PORT)',
    });
    const plan = await veren.client.analyze({ gitUrl: `${open.url}/monorepo` });
    expect(plan.frontend).toMatchObject({
      path: 'apps/site',
      framework: 'vite',
      installPath: '.',
      installCommand: 'npm ci',
    });
    expect(plan.backend).toMatchObject({ path: 'apps/api', startCommand: expect.any(String), installPath: '.' });
  });

  it.each<[string, object, string]>([
    ['a missing branch', { ref: 'no-such-branch' }, 'REF_NOT_FOUND'],
    ['a missing folder', { path: 'nowhere' }, 'PATH_NOT_FOUND'],
    ['an absent repository', { gitUrl: 'absent' }, 'REPO_NOT_FOUND'],
    ['a manifest that is no JSON', { gitUrl: 'broken' }, 'MANIFEST_INVALID'],
    ['a Node that nobody builds with', { gitUrl: 'future' }, 'NODE_VERSION_UNSUPPORTED'],
  ])('answers %s with a problem that says so', async (_, request, code) => {
    await mkdir(repos, { recursive: true });
    makeRepo(join(repos, `for-${code}`), { 'index.html': 'hi' });
    makeRepo(join(repos, 'broken'), { 'package.json': '{"name": ' });
    makeRepo(join(repos, 'future'), {
      'package.json': JSON.stringify({
        engines: { node: '>=26' },
        scripts: { build: 'vite build' },
        devDependencies: { vite: '8' },
      }),
      'index.html': '<p>',
    });
    const { gitUrl = `for-${code}`, ...rest } = request as { gitUrl?: string };
    const problem = await refusal(veren.client.analyze({ gitUrl: `${open.url}/${gitUrl}`, ...rest }));
    expect(problem.code).toBe(code);
    expect(problem.detail).not.toMatch(/\{\w+\}/);
  });
});

describe('a private repository', () => {
  it('is read and deployed with its token only, and the token is told to nobody', async () => {
    makeRepo(join(repos, 'private'), {
      'package.json': JSON.stringify({
        scripts: { build: 'mkdir out && env > out/index.html && cat .git/config && env' },
      }),
      'index.html': '<p>',
    });
    const gitUrl = `${closed.url}/private`;
    expect((await refusal(veren.client.analyze({ gitUrl }))).code).toMatch(/^REPO_(NOT_FOUND|AUTH_FAILED)$/);
    expect((await refusal(veren.client.analyze({ gitUrl, gitToken: 'wrong' }))).code).toBe('REPO_AUTH_FAILED');
    expect((await veren.client.analyze({ gitUrl, gitToken: TOKEN })).commit).toMatch(/^[0-9a-f]{40}$/);

    const frontend = { outputDirectory: 'out', installCommand: '', ...HOST_NODE };
    const request = { projectId: 'private', gitUrl, gitToken: TOKEN, frontend, backend: false as const };
    const record = await veren.deploy(request);
    expect(record.status).toBe('succeeded');
    const artifact = record.builds.frontend?.artifact as { url: string };
    const said = [
      await (await fetch(artifact.url)).text(),
      JSON.stringify(await veren.logs(record.deploymentId)),
      JSON.stringify(record),
      JSON.stringify(await veren.client.listDeployments()),
    ];
    for (const text of said) expect(text).not.toContain(TOKEN);
    const refused = await veren.deploy({ ...request, gitToken: 'wrong' });
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'REPO_AUTH_FAILED' } });
  }, 180_000);
});
