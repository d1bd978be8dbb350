import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { DeploymentView } from '../../contract/api.ts';
import { eventually } from '../support/eventually.ts';
import { git } from '../support/gitServer.ts';
import { ROOT, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/**
 * A month of a project, through HTTP on the laptop: what goes, what stays, and what is answered to who wants it back. The
 * platform is started again with a clock that is 31 days ahead.
 */
const LONG = 'feature/the-same-beginning-of-two-very-long-names-of-branches-which-no-label-has-room-for-';
const LONG_ID = 'a-project-whose-name-leaves-no-room-for-the-label-of-a-preview';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let veren: Veren;
let repo: string;
const deployed: Record<string, DeploymentView> = {};

const call = async (method: string, path: string, body?: object) => {
  const response = await fetch(veren.url + path, {
    method,
    headers: { authorization: `Bearer ${veren.token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON it is
  return { status: response.status, body: (answer === '' ? null : JSON.parse(answer)) as any };
};
const told = async (method: string, path: string, body?: object) => {
  const { status, body: answer } = await call(method, path, body);
  return `${status} ${answer?.code ?? ''}`.trim();
};
const promote = (name: string) => told('POST', `/deployments/${deployed[name]!.deploymentId}/promote`);
const rollback = (name: string, project = 'shop') =>
  told('POST', `/projects/${project}/rollback`, { deploymentId: deployed[name]!.deploymentId });

function commit(version: string): void {
  writeFileSync(join(repo, 'index.html'), version);
  git(repo, ['add', '-A']);
  git(repo, ['-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', version]);
}
/** Deploys what is checked out, under a name of this test. */
async function deploy(name: string, over: { projectId?: string; ref?: string; frontend?: object } = {}) {
  const of = { projectId: 'shop', gitUrl: pathToFileURL(repo).href, backend: false as const };
  deployed[name] = await veren.deploy({ ...of, ...over });
}
const addressesOf = (name: string) =>
  deployed[name]!.builds.frontend?.artifact as unknown as { deploymentUrl: string; branchUrl: string; url: string };

/** Node does not resolve names below `localhost`, so the name is sent as the host. */
function get(url: string): Promise<string> {
  const { host, port, pathname } = new URL(url);
  return new Promise((done, failed) => {
    request({ host: '127.0.0.1', port, path: pathname, headers: { host }, agent: false }, (response) => {
      text(response).then((body) => done(`${response.statusCode} ${body}`), failed);
    })
      .on('error', failed)
      .end();
  });
}
const shows = (url: string, wanted: string) =>
  eventually(async () => (await get(url)) === `200 ${wanted}`, { withinMs: 20_000 });

beforeAll(async () => {
  folder = await temporaryFolder();
  veren = await startVeren(join(folder.path, 'data'));
  repo = join(folder.path, 'site');
  mkdirSync(repo);
  git(repo, ['init', '-qb', 'main']);
  for (const [i, version] of ['v1', 'v2'].entries()) {
    await call('PUT', '/projects/shop', { gitUrl: pathToFileURL(repo).href, productionBranch: 'main' });
    await call('PUT', '/projects/shop/variables/SET', { value: `${i}` });
    await call('PUT', '/projects/shop/variables/SET', { value: `${i} again` });
    commit(version);
    await deploy(version);
  }
  for (const end of ['one', 'two']) {
    git(repo, ['checkout', '-qb', LONG + end, 'main']);
    commit(end);
    await deploy(end, { ref: LONG + end });
    await deploy(`${end} of a long name`, { ref: LONG + end, projectId: `${LONG_ID}${end === 'one' ? '1' : '2'}` });
  }
  git(repo, ['checkout', '-q', 'main']);
  await deploy('failed', { frontend: { buildCommand: 'exit 1', outputDirectory: '.' } });
  await deploy('foreign', { projectId: 'other' });
}, 400_000);
afterAll(async () => {
  expect(await veren.stop()).toBe(0);
  await folder.remove();
}, 180_000);

test('names that are equal after shortening lead to their own deployments', async () => {
  const [one, two] = [addressesOf('one'), addressesOf('two')];
  const hosts = [one.branchUrl, two.branchUrl].map((url) => new URL(url).hostname);
  expect(hosts[0]!.slice(0, 20)).toBe(hosts[1]!.slice(0, 20));
  await shows(one.branchUrl, 'one');
  await shows(two.branchUrl, 'two');
  const long = ['one of a long name', 'two of a long name'].map(addressesOf);
  for (const { branchUrl, deploymentUrl } of long)
    for (const url of [branchUrl, deploymentUrl])
      expect(new URL(url).hostname.split('.')[0]!.length).toBeLessThanOrEqual(63);
  for (const [i, version] of ['one', 'two'].entries()) {
    await shows(long[i]!.branchUrl, version);
    await shows(long[i]!.deploymentUrl, version);
  }
});

test('a domain has one project, and its visitors see that one', async () => {
  expect((await call('PUT', '/projects/shop/domains/shop.example')).body).toMatchObject({ status: 'live' });
  expect(await told('PUT', '/projects/other/domains/shop.example')).toBe('409 DOMAIN_TAKEN');
  const production = new URL(addressesOf('v2').url);
  await shows(`http://shop.example:${production.port}/`, 'v2');
  expect((await call('GET', '/projects/other/domains')).body.domains).toEqual([]);
});

test('after a month previews are gone, and what production has served is there with its variables', async () => {
  expect(await promote('one')).toBe('202');
  expect(await rollback('v2')).toBe('202');
  await veren.stop();
  const later = {
    LATER_DAYS: '31',
    NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, 'test/support/laterClock.mjs'))}`,
  };
  veren = await startVeren(join(folder.path, 'data'), later);
  const read = (name: string) => veren.client.getDeployment(deployed[name]!.deploymentId);
  await eventually(async () => (await read('two')).expired?.reason === 'age', { withinMs: 60_000 });
  // Each with its code, whichever way it is asked for.
  for (const ask of [promote, rollback]) {
    expect(await ask('two')).toBe('409 DEPLOYMENT_EXPIRED');
    expect(await ask('failed')).toBe('409 NOT_RELEASABLE');
  }
  expect(await rollback('foreign')).toBe('404 NOT_FOUND');
  expect(await rollback('v1', 'other')).toBe('404 NOT_FOUND');
  expect(await told('POST', '/deployments/01abc/promote')).toBe('404 NOT_FOUND');
  // It was released once.
  expect((await read('one')).expired).toBeUndefined();

  // Both of the second deployment's start, and none of the first's but the one that it has.
  const swept = () => veren.logged.find((line) => line.includes('Versions of variables'));
  await eventually(async () => swept(), { withinMs: 60_000 });
  const { version } = (await call('GET', '/projects/shop/variables')).body;
  expect([(await read('v1')).variables, (await read('v2')).variables, version]).toEqual([
    { version: 2 },
    { version: 4 },
    4,
  ]);
  expect(swept()).toMatch(/1.*3/);
  expect(await rollback('v1')).toBe('202');
  const again = await read('v1');
  const { url } = again.builds.frontend!.artifact as unknown as { url: string };
  await shows(url, 'v1');
}, 300_000);
