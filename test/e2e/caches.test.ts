import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { git, makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** Caches from POST to the log, on a platform as `npm start` has it. One package comes from the npm registry. */
const platform = usePlatform();

async function repository(): Promise<string> {
  const manifest = JSON.stringify({
    name: 'c',
    version: '1.0.0',
    dependencies: { 'is-number': '7.0.0' },
    scripts: { build: 'mkdir -p dist && echo page > dist/index.html' },
  });
  const lock = join(platform.folder, 'lock');
  await mkdir(lock);
  await writeFile(join(lock, 'package.json'), manifest);
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit'], { cwd: lock, stdio: 'ignore' });
  const { path } = makeRepo(join(platform.folder, 'app'), {
    'package.json': manifest,
    'package-lock.json': await readFile(join(lock, 'package-lock.json'), 'utf8'),
    '.gitignore': 'node_modules\ndist\n',
  });
  git(path, ['branch', 'feature']);
  return pathToFileURL(path).href;
}

const RESTORED = /^Restored what "npm ci" made of the same lockfile in deployment (\w+) \((\w+)\)\.$/m;

test('a lane uses what it has made, another does not, and both can be dropped', async () => {
  const gitUrl = await repository();
  const call = (method: string, path: string, body?: object) =>
    fetch(`${platform.veren.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${platform.veren.token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    }).then(async (answer) => ({ status: answer.status, body: JSON.parse(await answer.text()) }));
  const told = async (id: string) => {
    const record = await platform.veren.finished(id);
    expect([record.status, record.error]).toEqual(['succeeded', undefined]);
    const log = (await platform.veren.logs(id)).map(({ line }) => line).join('\n');
    return { id, lane: record.plan?.lane, log, from: RESTORED.exec(log)?.slice(1) ?? null };
  };
  const deploy = async (ref?: string, cache?: 'drop') => {
    const asked = {
      projectId: 'cached',
      gitUrl,
      frontend: HOST_NODE,
      force: true,
      ...(ref && { ref }),
      ...(cache && { cache }),
    };
    return told((await platform.veren.client.createDeployment(asked)).deploymentId);
  };
  const redeploy = async (id: string, body?: object) =>
    told((await call('POST', `/deployments/${id}/redeploy`, body)).body.deploymentId);
  /** A cache is written when the result has been told: not always before the next deployment begins. */
  const untilRestored = async (deployed: () => ReturnType<typeof deploy>) => {
    for (let tries = 0; ; tries++) {
      const next = await deployed();
      if (next.from || tries === 5) return next;
    }
  };

  const first = await deploy();
  expect([first.lane, first.from]).toEqual(['production', null]);
  expect((await untilRestored(() => redeploy(first.id))).from?.[1]).toBe('production');
  expect((await deploy('main')).lane).toBe('production');
  const preview = await deploy('feature');
  expect([preview.lane, preview.from]).toEqual(['preview', null]);
  expect((await untilRestored(() => deploy('feature'))).from?.[1]).toBe('preview');

  const dropped = await redeploy(first.id, { cache: 'drop' });
  expect([dropped.lane, dropped.from]).toEqual(['production', null]);
  expect(dropped.log).toContain('The caches of this project (production) are dropped, as the deployment asks for.');
  expect((await untilRestored(() => deploy())).from).not.toContain(first.id);

  const answer = await call('DELETE', '/projects/cached/cache');
  expect(answer.status).toBe(200);
  expect(answer.body.dropped.map(({ lane }: { lane: string }) => lane)).toEqual(['production', 'preview']);
  expect((await deploy()).from).toBeNull();
  expect((await deploy('feature')).from).toBeNull();
}, 300_000);
