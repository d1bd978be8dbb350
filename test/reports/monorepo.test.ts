import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

const APPS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Six apps in one workspace; a and b depend on a package of it. Nothing is installed: the builds need only Node. */
async function monorepo(root: string) {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const commit = (message: string) => {
    git('add', '-A');
    git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm', message);
  };
  await mkdir(root, { recursive: true });
  git('init', '-q', '-b', 'main');
  await write('package.json', JSON.stringify({ private: true, workspaces: ['apps/*', 'packages/*'] }));
  await write('README.md', 'first');
  await write('packages/ui/package.json', JSON.stringify({ name: 'ui', version: '1.0.0' }));
  await write('packages/ui/text.txt', 'shared 1');
  for (const app of APPS) {
    const uses = app < 'c' ? { dependencies: { ui: '*' } } : {};
    const scripts = { build: 'node build.js' };
    await write(`apps/${app}/package.json`, JSON.stringify({ name: app, private: true, scripts, ...uses }));
    await write(
      `apps/${app}/build.js`,
      `const fs = require('fs'); fs.mkdirSync('dist', { recursive: true });
       fs.writeFileSync('dist/index.html', '<h1>${app} ' + fs.readFileSync('text.txt', 'utf8') + '</h1>' + Date.now());`,
    );
    await write(`apps/${app}/text.txt`, `${app} 1`);
  }
  commit('first');
  return { url: `file://${root}`, write, commit };
}

describe('a repository of six apps, each a project of its own', () => {
  const platform = usePlatform();
  let repository: Awaited<ReturnType<typeof monorepo>>;

  const call = async (method: string, path: string, body?: unknown) => {
    const { url, token } = platform.veren;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as { deploymentId: string } };
  };
  const settings = (app: string) => ({
    gitUrl: repository.url,
    rootDirectory: `apps/${app}`,
    frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.js', outputDirectory: 'dist' },
    backend: false,
  });
  /** As a push does: every project is deployed. Gives those that were built. */
  const push = async (more: object = {}): Promise<string[]> => {
    const ends = await Promise.all(
      APPS.map(async (app) => {
        const { status, body } = await call('POST', '/deployments', { projectId: app, ...more });
        expect([app, status]).toEqual([app, 202]);
        return platform.veren.finished(body.deploymentId);
      }),
    );
    for (const end of ends)
      expect([end.projectId, end.status, end.error ?? null]).toEqual([end.projectId, 'succeeded', null]);
    return ends.filter((end) => end.sameAs === undefined).map((end) => end.projectId);
  };

  beforeAll(async () => {
    repository = await monorepo(join(platform.folder, 'monorepo'));
    for (const app of APPS) expect((await call('PUT', `/projects/${app}`, settings(app))).status).toBe(201);
  }, 60_000);

  test('a push builds what it touches, and no more', async () => {
    expect(await push()).toEqual(APPS);
    expect(await push()).toEqual([]);
    await repository.write('apps/d/text.txt', 'd 2');
    await repository.write('README.md', 'second');
    repository.commit('d alone');
    expect(await push()).toEqual(['d']);
    await repository.write('packages/ui/text.txt', 'shared 2');
    repository.commit('the package of a and b');
    expect(await push()).toEqual(['a', 'b']);
    await repository.write('package-lock.json', '{"lockfileVersion": 3, "packages": {}}');
    repository.commit('all');
    expect(await push()).toEqual(APPS);
    expect(await push({ force: true })).toEqual(APPS);
  }, 240_000);

  test('it answers at its analysis, with the artifacts of the earlier one; a redeployment builds', async () => {
    const { body } = await call('POST', '/deployments', { projectId: 'c' });
    const same = await platform.veren.finished(body.deploymentId);
    expect(same).toMatchObject({ status: 'succeeded', outcome: 'complete', sameAs: expect.any(String) });
    const first = await platform.veren.client.getDeployment(same.sameAs!);
    expect(same.builds.frontend?.artifact).toMatchObject({
      files: first.builds.frontend!.artifact!.kind === 'static' ? 1 : 0,
    });
    const events = Date.parse(same.finishedAt!) - Date.parse(same.createdAt);
    expect(events).toBeLessThan(20_000);
    const again = await call('POST', `/deployments/${same.deploymentId}/redeploy`);
    expect((await platform.veren.finished(again.body.deploymentId)).sameAs).toBeUndefined();
  }, 120_000);

  test('other settings, variables or another lane are built', async () => {
    const built = async (request: object) => {
      const { body } = await call('POST', '/deployments', { projectId: 'e', ...request });
      return (await platform.veren.finished(body.deploymentId)).sameAs === undefined;
    };
    expect(await built({})).toBe(false);
    expect(await built({ env: { GREETING: 'hi' } })).toBe(true);
    expect(await built({ env: { GREETING: 'hi' } })).toBe(false);
    expect(await built({ env: { GREETING: 'ho' } })).toBe(true);
    expect(await built({ frontend: { buildCommand: 'node build.js # again' } })).toBe(true);
    expect(await built({ cache: 'drop' })).toBe(true);
    await call('PATCH', '/projects/e', { usesCommit: true });
    await repository.write('README.md', 'third');
    repository.commit('nothing of e');
    expect(await built({})).toBe(true);
    expect(await built({})).toBe(false);
  }, 120_000);
});
