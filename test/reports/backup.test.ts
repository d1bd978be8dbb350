import { createHash } from 'node:crypto';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const SECRET = 's3cret-of-the-project';
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const BUILD = `
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const secret = require('node:crypto').createHash('sha256').update(process.env.API_SECRET ?? '').digest('hex');
mkdirSync('dist');
writeFileSync('dist/index.html', readFileSync('version', 'utf8') + ' ' + secret);`;

/** What docs/laptop.md says is to be copied. */
const KEPT = ['journal.ndjson', 's3', 'logs', 'ecs', 'secret-keys.json', 'signing.json', 'credentials.json', 'token'];

/** A laptop's data folder is backed up, lost and restored. */
describe('the backup of a data folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let veren: Veren;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove(), 60_000);

  const call = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${veren.token}`, 'Content-Type': 'application/json' };
    const response = await fetch(veren.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
    return { status: response.status, body: (await response.json()) as any };
  };

  test('projects, secrets, releases and domains are there again, and a build sees its secret', async () => {
    const data = join(folder.path, 'data');
    const repo = makeRepo(join(folder.path, 'site'), {
      'package.json': '{"scripts": {"build": "node build.cjs"}}',
      'build.cjs': BUILD,
      version: 'v1',
    });
    const frontend = { ...HOST_NODE, outputDirectory: 'dist', installCommand: '' };
    const deploy = async () => {
      const request = { projectId: 'site', gitUrl: `file://${repo.path}`, frontend, backend: false as const };
      const view = await veren.deploy({ ...request, force: true });
      expect([view.status, view.error]).toEqual(['succeeded', undefined]);
      return view;
    };
    veren = await startVeren(data);
    await call('PUT', '/projects/site', { gitUrl: `file://${repo.path}` });
    await call('PUT', '/projects/site/variables/API_SECRET', { value: SECRET, secret: true, seenBy: ['build'] });
    const [first, second] = [await deploy(), await deploy()];
    expect(
      (await call('POST', `/deployments/${first.deploymentId}/promote`, { reason: 'second looks odd' })).status,
    ).toBe(202);
    expect((await call('PUT', '/projects/site/domains/shop.example', {})).status).toBeLessThan(300);
    const { token: laptopToken } = veren;
    const paths = ['', '/releases', '/variables', '/domains'].map((path) => `/projects/site${path}`);
    const look = () =>
      Promise.all([...paths, '/audit', '/deployments'].map(async (path) => (await call('GET', path)).body));
    const before = await look();
    const port = new URL(veren.url).host;
    expect(await veren.stop()).toBe(0);

    const backup = join(folder.path, 'backup');
    await mkdir(backup);
    for (const name of KEPT) await cp(join(data, name), join(backup, name), { recursive: true });
    await rm(data, { recursive: true });
    await cp(backup, data, { recursive: true });

    veren = await startVeren(data);
    expect(veren.token).toBe(laptopToken);
    const text = (value: unknown) => JSON.stringify(value).replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, 'here');
    expect(port).not.toBe('');
    expect(text(await look())).toBe(text(before));
    const view = await veren.client.getDeployment(second.deploymentId);
    const { url } = view.builds.frontend!.artifact as { url: string };
    expect(await (await fetch(url)).text()).toBe(`v1 ${digest(SECRET)}`);
    await deploy();
    expect(await (await fetch(url)).text()).toBe(`v1 ${digest(SECRET)}`);
    expect(await veren.stop()).toBe(0);
  }, 300_000);
});
