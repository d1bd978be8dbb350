import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import type { DeploymentView } from '../../contract/api.ts';
import { type ServerMessage, ServerMessageSchema } from '../../contract/websocket.ts';
import { describeWith, onPath } from '../support/engines.ts';
import { makeRepo } from '../support/gitServer.ts';
import { exampleRepository, HOST_NODE, ROOT, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** Everything here goes through HTTP to a platform that runs as `npm start` has it. */
let veren: Veren;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let repos: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  repos = join(folder.path, 'repos');
  await mkdir(repos);
  veren = await startVeren(join(folder.path, 'data'));
}, 180_000);

afterAll(async () => {
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 180_000);

const siteOf = (record: DeploymentView): string => {
  const artifact = record.builds.frontend?.artifact;
  if (artifact?.kind !== 'static') throw new Error(`no site: ${JSON.stringify(record.error ?? record.builds)}`);
  return artifact.url;
};
const get = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { headers, redirect: 'manual' });
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
};
const html = { Accept: 'text/html' };

/** A repository with these files, and its URL. */
async function repository(name: string, files: Record<string, string>): Promise<string> {
  const { path } = makeRepo(join(repos, name), files);
  return pathToFileURL(path).href;
}

describe('the examples', () => {
  it('react-vite: a built page with assets, client routes and a whole record', async () => {
    const gitUrl = await exampleRepository('react-vite', repos);
    const record = await veren.deploy({ projectId: 'react', gitUrl });
    expect(record).toMatchObject({ status: 'succeeded', builds: { frontend: { status: 'succeeded', attempt: 1 } } });
    expect(record.builds.frontend?.phases.map((p) => [p.name, p.ok])).toEqual([
      ['fetch', true],
      ['install', true],
      ['build', true],
      ['publish', true],
    ]);
    expect(record.plan?.frontend).toMatchObject({ installCommand: 'npm ci', outputDirectory: 'dist', path: '.' });
    const site = siteOf(record);
    const page = await get(site, html);
    expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)?.[1];
    expect(await get(new URL(script!, site).href)).toMatchObject({
      status: 200,
      type: expect.stringContaining('javascript'),
    });
    expect((await get(new URL('/some/client/route', site).href, html)).text).toBe(page.text);
    expect((await get(new URL('/assets/none.js', site).href)).status).toBe(404);
    const logs = await veren.logs(record.deploymentId);
    expect(logs.map((l) => l.seq)).toEqual(logs.map((_, i) => i + 1));
    expect(logs.some((l) => l.line.includes('vite'))).toBe(true);
  }, 300_000);

  it('static-page: published as it is, with index.html for folders', async () => {
    const record = await veren.deploy({ projectId: 'static', gitUrl: await exampleRepository('static-page', repos) });
    expect(record.status).toBe('succeeded');
    expect(record.plan?.frontend).toMatchObject({ installCommand: null, buildCommand: null, packageManager: null });
    const site = siteOf(record);
    expect((await get(site, html)).status).toBe(200);
    expect(await get(new URL('/about/', site).href, html)).toMatchObject({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect((await get(new URL('/style.css', site).href)).type).toBe('text/css; charset=utf-8');
    expect((await get(new URL('/hills.svg', site).href)).type).toMatch(/^image\/svg\+xml/);
    expect((await get(new URL('/.git/config', site).href)).status).toBe(404);
  }, 180_000);

  it('pnpm-app and the frontend of fullstack, both at once', async () => {
    const [pnpm, full] = await Promise.all([
      veren.deploy({ projectId: 'pnpm', gitUrl: await exampleRepository('pnpm-app', repos) }),
      veren.deploy({ projectId: 'full', gitUrl: await exampleRepository('fullstack', repos), backend: false }),
    ]);
    expect(pnpm.plan?.frontend).toMatchObject({
      packageManager: { name: 'pnpm' },
      installCommand: 'pnpm install --frozen-lockfile',
    });
    expect(full.plan?.frontend?.path).toBe('frontend');
    for (const record of [pnpm, full]) {
      expect(record.status).toBe('succeeded');
      expect((await get(siteOf(record), html)).status).toBe(200);
    }
    expect(siteOf(pnpm)).not.toBe(siteOf(full));
  }, 180_000);
});

describe('a build that fails', () => {
  it.each<[string, Record<string, string>, object]>([
    [
      'in its install command',
      {
        'package.json': JSON.stringify({ dependencies: { react: '19.0.0' }, scripts: { build: 'true' } }),
        'package-lock.json': '{}',
      },
      { code: 'LOCKFILE_OUT_OF_STEP', phase: 'install' },
    ],
    [
      'in its build command',
      {
        'package.json': JSON.stringify({ scripts: { build: "echo before && echo 'it broke' >&2 && exit 3" } }),
        'index.html': '<p>',
      },
      { code: 'BUILD_FAILED', phase: 'build', exitCode: 3, lastLines: expect.arrayContaining(['it broke']) },
    ],
    [
      'with no output folder',
      { 'package.json': JSON.stringify({ scripts: { build: 'true' } }), 'index.html': '<p>' },
      { code: 'OUTPUT_MISSING' },
    ],
    [
      'with an empty output folder',
      { 'package.json': JSON.stringify({ scripts: { build: 'mkdir -p out' } }), 'index.html': '<p>' },
      { code: 'OUTPUT_EMPTY' },
    ],
    [
      'with a link out of its output',
      {
        'package.json': JSON.stringify({ scripts: { build: 'mkdir -p out && ln -s /etc/passwd out/index.html' } }),
        'index.html': '<p>',
      },
      { code: 'OUTPUT_REJECTED' },
    ],
  ])(
    '%s says where and why, and the platform goes on',
    async (what, files, error) => {
      const name = what.replaceAll(' ', '-');
      const gitUrl = await repository(name, files);
      const frontend = {
        outputDirectory: 'out',
        installCommand: what.includes('install') ? 'npm ci' : '',
        ...HOST_NODE,
      };
      const record = await veren.deploy({ projectId: name, gitUrl, frontend, backend: false });
      expect(record).toMatchObject({
        status: 'failed',
        error,
        builds: { frontend: { status: 'failed', error, attempt: 1 } },
      });
      expect((await fetch(`${veren.url}/healthz`)).status).toBe(200);
    },
    180_000,
  );
});

describe('a repository that cannot be deployed', () => {
  it('does not exist, is empty, has nothing to deploy, has no such ref or folder', async () => {
    await mkdir(join(repos, 'nothing-there'));
    const text = await repository('text-only', { 'README.md': '# hello' });
    const empty = join(repos, 'empty');
    execFileSync('git', ['init', '--quiet', empty]);
    const cases: [object, string][] = [
      [{ gitUrl: pathToFileURL(join(repos, 'absent')).href }, 'REPO_NOT_FOUND'],
      [{ gitUrl: pathToFileURL(join(repos, 'nothing-there')).href }, 'REPO_NOT_FOUND'],
      [{ gitUrl: pathToFileURL(empty).href }, 'REPO_EMPTY'],
      [{ gitUrl: text }, 'NOTHING_TO_DEPLOY'],
      [{ gitUrl: text, ref: 'no-such-branch' }, 'REF_NOT_FOUND'],
      [{ gitUrl: text, frontend: { path: 'web' } }, 'PATH_NOT_FOUND'],
    ];
    for (const [request, code] of cases) {
      const record = await veren.deploy({ projectId: 'broken', ...request } as never);
      expect({ request, status: record.status, code: record.error?.code }).toEqual({ request, status: 'failed', code });
      expect(record.error?.message).toMatch(/\w+/);
    }
  }, 180_000);
});

describe('what a build can see', () => {
  it('is an allowlisted environment: no token, key or broker', async () => {
    const gitUrl = await repository('printenv', {
      'package.json': JSON.stringify({ scripts: { build: 'env && mkdir out && env > out/index.html' } }),
      'index.html': '<p>',
    });
    const record = await veren.deploy({
      projectId: 'printenv',
      gitUrl,
      env: { MY_SETTING: 'visible-setting' },
      frontend: { outputDirectory: 'out', installCommand: '', ...HOST_NODE },
      backend: false,
    });
    expect(record.status).toBe('succeeded');
    const { text } = await get(siteOf(record));
    expect(text).toContain('MY_SETTING=visible-setting');
    expect(text).toContain('CI=true');
    const names = text.split('\n').map((l) => l.split('=')[0] ?? '');
    expect(
      names.filter((n) => /^(AWS_|KAFKA_|GIT_TOKEN|VEREN_(TOKEN|SCRIPT|HANDOVER)|BUCKET$|DEPLOYMENTID$)/.test(n)),
    ).toEqual([]);
    expect(text).not.toContain(veren.token);
  }, 180_000);

  it('is the Node that was asked for', async () => {
    const gitUrl = await repository('node22', {
      'package.json': JSON.stringify({
        engines: { node: '22.x' },
        scripts: { build: 'mkdir out && node -v > out/index.html' },
      }),
      'index.html': '<p>',
    });
    const record = await veren.deploy({
      projectId: 'node22',
      gitUrl,
      frontend: { outputDirectory: 'out', installCommand: '' },
    });
    expect(record.plan?.frontend?.nodeVersion).toBe(22);
    expect((await get(siteOf(record))).text).toMatch(/^v22\./);
  }, 180_000);
});

describe('a second deployment of a project', () => {
  it('replaces the first, and its stale files are gone', async () => {
    const first = await repository('v1', { 'index.html': 'one', 'old.html': 'old' });
    const second = await repository('v2', { 'index.html': 'two' });
    const site = siteOf(await veren.deploy({ projectId: 'twice', gitUrl: first }));
    expect((await get(`${site}old.html`)).text).toBe('old');
    expect(siteOf(await veren.deploy({ projectId: 'twice', gitUrl: second }))).toBe(site);
    expect((await get(site)).text).toBe('two');
    expect((await get(`${site}old.html`)).status).toBe(404);
  }, 180_000);
});

describe('cancel', () => {
  it('stops what runs, and nothing of it becomes visible', async () => {
    const gitUrl = await repository('slow', {
      'package.json': JSON.stringify({
        scripts: { build: 'echo started && sleep 30 && mkdir out && echo hi > out/index.html' },
      }),
      'index.html': '<p>',
    });
    const { deploymentId } = await veren.client.createDeployment({
      projectId: 'slow',
      gitUrl,
      frontend: { outputDirectory: 'out', installCommand: '', ...HOST_NODE },
      backend: false,
    });
    for await (const followed of veren.client.followLogs(deploymentId))
      if (followed.type === 'log' && followed.line.line === 'started') break;
    await veren.client.cancel(deploymentId);
    const record = await veren.finished(deploymentId);
    expect(record).toMatchObject({ status: 'canceled', builds: { frontend: { status: 'canceled' } } });
    expect(record.builds.frontend?.artifact).toBeUndefined();
    await expect(veren.client.cancel(deploymentId)).rejects.toThrow(/already ended \(canceled\)/);
  }, 180_000);
});

describe('the WebSocket', () => {
  it('tells a subscriber of every change, after a snapshot; nobody without a token', async () => {
    const gitUrl = await repository('watched', { 'index.html': 'watched' });
    const before = await veren.deploy({ projectId: 'watched', gitUrl, frontend: HOST_NODE });
    const address = `${veren.url.replace('http', 'ws')}/ws`;
    const refused = await new Promise((done) => new WebSocket(address).once('error', (e) => done(e.message)));
    expect(refused).toContain('401');

    const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${veren.token}` } });
    const received: ServerMessage[] = [];
    const ended = new Promise<void>((done) =>
      socket.on('message', (data) => {
        const message = ServerMessageSchema.parse(JSON.parse(String(data)));
        received.push(message);
        if (message.type === 'deployment' && message.record.status === 'succeeded') done();
      }),
    );
    await new Promise((open) => socket.once('open', open));
    socket.send(JSON.stringify({ action: 'subscribe', projectId: 'watched' }));
    await until(() => received.length > 0);
    // Unchanged, it would not be built again.
    const again = { projectId: 'watched', gitUrl, frontend: HOST_NODE, force: true };
    const { deploymentId } = await veren.deploy(again);
    await ended;
    socket.close();
    expect(received[0]).toMatchObject({ type: 'snapshot', records: [{ deploymentId: before.deploymentId }] });
    const changes = received.flatMap((m) => (m.type === 'deployment' ? [m.record] : []));
    expect(changes.every((record) => record.deploymentId === deploymentId)).toBe(true);
    expect(changes.map((record) => record.status)).toEqual(
      expect.arrayContaining(['analyzing', 'building', 'succeeded']),
    );
  }, 180_000);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((r) => setTimeout(r, 20));
}

describeWith(onPath('curl') ? null : 'no curl on PATH', 'npm start', () => {
  it('prints one curl that deploys something', async () => {
    await until(() => veren.said.some((line) => line.includes('Ctrl-C')));
    const from = veren.said.findIndex((line) => line.trim().startsWith('curl '));
    const command = veren.said.slice(from, from + 2).join('\n');
    const answer = JSON.parse(execFileSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8' }));
    expect(answer).toMatchObject({ projectId: 'hello', status: 'queued' });
    const record = await veren.finished(answer.deploymentId);
    expect(record).toMatchObject({ status: 'succeeded', plan: { frontend: { path: 'examples/react-vite' } } });
  }, 300_000);
});

describe('POST /analyze', () => {
  it('tells the plan and deploys nothing', async () => {
    const gitUrl = await exampleRepository('fullstack', join(repos, 'analyze'));
    const before = (await veren.client.listDeployments({ limit: 100 })).items.length;
    const plan = await veren.client.analyze({ gitUrl });
    expect(plan).toMatchObject({ frontend: { path: 'frontend' }, backend: { path: 'backend' } });
    expect(plan.frontend?.evidence.length).toBeGreaterThan(0);
    expect((await veren.client.listDeployments({ limit: 100 })).items).toHaveLength(before);
    await expect(veren.client.analyze({ gitUrl: pathToFileURL(join(repos, 'absent')).href })).rejects.toMatchObject({
      problem: { code: 'REPO_NOT_FOUND' },
    });
  }, 180_000);
});
