import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeploymentView } from '../../contract/api.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import { usePlatform } from '../support/veren.ts';

/**
 * What a team does with releases, through HTTP on the laptop: every deployment at an address of its own, production a
 * pointer that is switched without a build.
 */
const world = usePlatform();
const projectId = 'shop';
let folder: string;
let v1: DeploymentView;
let v2: DeploymentView;

const git = (...parameters: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...parameters], { cwd: folder });
/** A version of the site: every page of it names the version, and so does the name of its asset. */
function commitVersion(version: string): void {
  writeFileSync(join(folder, 'index.html'), `<script src="/app-${version}00000000.js"></script>${version}`);
  writeFileSync(join(folder, 'about.html'), `about ${version}`);
  git('add', '-A');
  git('commit', '-qm', version);
}
const deploy = (ref?: string) =>
  world.veren.deploy({ projectId, gitUrl: pathToFileURL(folder).href, backend: false, ...(ref && { ref }) });

/** Node does not resolve names below `localhost`, so the name is sent as the host. */
async function get(url: string, headers: Record<string, string> = {}) {
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise<{ status: number; body: string; headers: Record<string, unknown> }>((done, failed) => {
    request(
      { host: '127.0.0.1', port, path: pathname + search, headers: { host: `${hostname}:${port}`, ...headers } },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        done({
          status: response.statusCode as number,
          body: Buffer.concat(chunks).toString(),
          headers: response.headers,
        });
      },
    )
      .on('error', failed)
      .end();
  });
}
async function call(method: string, path: string, body?: object) {
  const response = await fetch(world.veren.url + path, {
    method,
    headers: {
      authorization: `Bearer ${world.veren.token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as ReleaseHistory & { code?: string } };
}
const addresses = (view: DeploymentView) => {
  const artifact = view.builds.frontend?.artifact;
  if (artifact?.kind !== 'static') throw new Error(`${view.status}: nothing is shown`);
  return artifact as typeof artifact & { deploymentUrl: string; branchUrl: string; hostUrl: string };
};
async function until(what: () => Promise<boolean>, ms = 2_000): Promise<void> {
  for (const end = Date.now() + ms; !(await what()); ) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms`);
    await new Promise((r) => setTimeout(r, 20));
  }
}
const shows = (url: string, text: string) => async () => (await get(url)).body.endsWith(text);

beforeAll(async () => {
  folder = join(world.folder, 'site');
  mkdirSync(folder);
  git('init', '-qb', 'main');
  commitVersion('v1');
  v1 = await deploy();
  commitVersion('v2');
  v2 = await deploy();
}, 240_000);

test('each version has an address of its own, and production shows the newest', async () => {
  expect([v1.status, v2.status, v1.environment]).toEqual(['succeeded', 'succeeded', 'production']);
  await until(shows(addresses(v2).url, 'v2'));
  expect((await get(addresses(v1).deploymentUrl)).body).toMatch(/v1$/);
  const second = await get(addresses(v2).deploymentUrl);
  expect([second.body.slice(-2), second.headers['x-robots-tag']]).toEqual(['v2', 'noindex']);
  expect((await get(addresses(v2).hostUrl)).headers['x-robots-tag']).toBeUndefined();
  expect((await get(addresses(v1).branchUrl)).body).toMatch(/v2$/);
  expect((await call('GET', `/projects/${projectId}/releases`)).body).toMatchObject({
    release: { deploymentId: v2.deploymentId, kind: 'automatic', by: 'veren' },
    releases: [{ deploymentId: v2.deploymentId }, { deploymentId: v1.deploymentId }],
  });
});

test('back to the version before within two seconds, to any by its id, and forward again, without a build', async () => {
  const { url } = addresses(v2);
  const back = await call('POST', `/projects/${projectId}/rollback`);
  expect([back.status, back.body.release?.deploymentId]).toEqual([202, v1.deploymentId]);
  await until(shows(url, 'v1'));
  expect((await world.veren.client.getDeployment(v1.deploymentId)).released).toBe(back.body.release?.at);
  const reason = 'v1 sells nothing';
  const forward = await call('POST', `/projects/${projectId}/rollback`, { deploymentId: v2.deploymentId, reason });
  expect([forward.status, forward.body.release]).toEqual([202, expect.objectContaining({ kind: 'rollback', reason })]);
  await until(shows(url, 'v2'));
  expect((await call('POST', `/deployments/${v1.deploymentId}/promote`)).status).toBe(202);
  await until(shows(url, 'v1'));
  expect((await call('POST', `/deployments/${v2.deploymentId}/promote`)).status).toBe(202);
  await until(shows(url, 'v2'));
  const { releases } = (await call('GET', `/projects/${projectId}/releases`)).body;
  expect(releases.map(({ kind }) => kind).slice(0, 4)).toEqual(['promote', 'promote', 'rollback', 'rollback']);
  expect(new Set(releases.slice(0, 4).map(({ by }) => by)).has('veren')).toBe(false);
});

test('assets of the version before stay reachable for pages that are open, and others do not', async () => {
  const { url } = addresses(v2);
  for (const asset of ['app-BXl3k9aQ.js', 'plain.js']) writeFileSync(join(folder, asset), asset);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ scripts: { build: 'mkdir dist; cp *.html *.js dist || true' } }),
  );
  commitVersion('v3');
  const v3 = await deploy();
  expect(v3.status).toBe('succeeded');
  for (const asset of ['app-BXl3k9aQ.js', 'plain.js']) execFileSync('rm', [join(folder, asset)]);
  commitVersion('v4');
  const v4 = await deploy();
  await until(shows(url, 'v4'));
  expect((await get(`${url}app-BXl3k9aQ.js`)).body).toBe('app-BXl3k9aQ.js');
  expect((await get(`${url}plain.js`)).status).toBe(404);
  expect((await get(`${addresses(v4).deploymentUrl}app-BXl3k9aQ.js`)).status).toBe(404);
  await call('POST', `/deployments/${v2.deploymentId}/promote`);
  await until(shows(url, 'v2'));
}, 180_000);

test('a preview of a branch has its own addresses and never touches production', async () => {
  const { url } = addresses(v2);
  git('checkout', '-qb', 'feature/new-look');
  commitVersion('v5');
  git('checkout', '-q', 'main');
  const preview = await deploy('feature/new-look');
  expect([preview.status, preview.environment, preview.released]).toEqual(['succeeded', 'preview', undefined]);
  const { branchUrl, deploymentUrl } = addresses(preview);
  await until(shows(deploymentUrl, 'v5'));
  expect(new URL(branchUrl).hostname).toMatch(/^feature-new-look-[a-z2-7]{8}--shop\.localhost$/);
  await until(shows(branchUrl, 'v5'));
  expect((await get(branchUrl)).headers['x-robots-tag']).toBe('noindex');
  expect((await get(url)).body).toMatch(/v2$/);
  expect((await get(deploymentUrl.replace(/\/\/[a-z0-9]/, (c) => (c === '//a' ? '//b' : '//a')))).status).not.toBe(200);
  // The address by the deployment's id, as earlier versions gave it.
  expect((await get(deploymentUrl.replace(/\/\/[^-]+--/, `//${preview.deploymentId}--`))).body).toMatch(/v5$/);
});

test('a pinned project keeps what it serves; requests still switch it', async () => {
  const { url } = addresses(v2);
  expect((await call('POST', `/projects/${projectId}/pin`)).body.pinned).toMatchObject({ by: expect.any(String) });
  commitVersion('v6');
  const passed = await world.veren.client.createDeployment({
    ...{ projectId, gitUrl: pathToFileURL(folder).href, backend: false },
  });
  await until(async () => (await world.veren.client.getDeployment(passed.deploymentId)).status === 'succeeded', 90_000);
  await new Promise((r) => setTimeout(r, 1_000));
  expect((await get(url)).body).toMatch(/v2$/);
  await call('POST', `/deployments/${passed.deploymentId}/promote`);
  await until(shows(url, 'v6'));
  expect((await call('POST', `/projects/${projectId}/unpin`)).body.pinned).toBeNull();
  await call('POST', `/projects/${projectId}/rollback`);
  await until(shows(url, 'v2'));
}, 180_000);

test('two at once get one order, and what is shown is the last of it', async () => {
  const { url } = addresses(v2);
  const both = await Promise.all([v1, v2, v1, v2].map((v) => call('POST', `/deployments/${v.deploymentId}/promote`)));
  expect(both.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  const { release } = (await call('GET', `/projects/${projectId}/releases`)).body;
  await until(shows(url, release?.deploymentId === v1.deploymentId ? 'v1' : 'v2'));
  await call('POST', `/deployments/${v2.deploymentId}/promote`);
  await until(shows(url, 'v2'));
});

test('a visitor sees whole versions only, and no error, during 50 switches', async () => {
  const { url } = addresses(v2);
  const seen = new Set<string>();
  let requests = 0;
  let switching = true;
  const visit = async () => {
    while (switching) {
      const page = await get(url);
      const [, asset = '', version = ''] = /src="\/app-(v\d)0{8}\.js".*(v\d)$/.exec(page.body) ?? [];
      seen.add(`${page.status} ${asset} ${version}`);
      const about = await get(`${url}about`);
      seen.add(`${about.status} ${/^about (v[12])$/.exec(about.body) ? 'about' : about.body}`);
      requests += 2;
    }
  };
  const visitors = Promise.allSettled([visit(), visit(), visit()]);
  try {
    for (let i = 0; i < 50; i++) {
      const to = i % 2 ? v2 : v1;
      const answer = await call('POST', `/deployments/${to.deploymentId}/promote`);
      expect(answer.status).toBe(202);
      // All processors are at the visitors' work.
      if (i % 10 === 9) await until(shows(url, 'v2'), 30_000);
    }
  } finally {
    switching = false;
  }
  expect((await visitors).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  expect([...seen].sort()).toEqual(['200 about', '200 v1 v1', '200 v2 v2']);
  expect(requests).toBeGreaterThan(50);
}, 180_000);

test('what cannot be released says why', async () => {
  const broken = await world.veren.deploy({
    ...{ projectId, gitUrl: pathToFileURL(folder).href, backend: false },
    frontend: { buildCommand: 'exit 1', outputDirectory: '.' },
  });
  const refused = async (path: string, body?: object) => {
    const answer = await call('POST', path, body);
    return `${answer.status} ${answer.body.code}`;
  };
  expect(await refused(`/deployments/${broken.deploymentId}/promote`)).toBe('409 NOT_RELEASABLE');
  expect(await refused('/deployments/01abc/promote')).toBe('404 NOT_FOUND');
  expect(await refused(`/projects/${projectId}/rollback`, { deploymentId: broken.deploymentId })).toBe(
    '409 NOT_RELEASABLE',
  );
  expect(await refused('/projects/unknown/rollback')).toBe('404 NOT_FOUND');
  expect(await refused(`/projects/${projectId}/rollback`, { deploymentId: 7 })).toBe('400 INVALID_REQUEST');
  const other = await world.veren.deploy({
    ...{ projectId: 'other', gitUrl: pathToFileURL(folder).href, backend: false, ref: 'main' },
  });
  expect(await refused('/projects/other/rollback')).toBe('409 NO_RELEASE_BEFORE');
  expect(await refused(`/projects/${projectId}/rollback`, { deploymentId: other.deploymentId })).toBe('404 NOT_FOUND');
}, 180_000);
