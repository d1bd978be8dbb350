import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, ROOT, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

const execFileAsync = promisify(execFile);
const [SECRET, ONCE] = ['s3cret-of-the-project', 's3cret-of-the-request'];
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
/** Publishes fingerprints of what it sees; waits where a request says so. */
const BUILD = `
const { createHash } = require('node:crypto');
const digest = (text = '') => createHash('sha256').update(text).digest('hex');
const { API_SECRET, ONCE, WAIT_MS } = process.env;
setTimeout(() => {
  require('node:fs').mkdirSync('dist');
  require('node:fs').writeFileSync('dist/index.html', digest(API_SECRET) + ' ' + digest(ONCE));
}, Number(WAIT_MS ?? 0));`;

/** The key that secrets are sealed with is changed while a deployment is under way. */
describe('the data key of a laptop', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: string;
  let veren: Veren;
  let gitUrl: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'data');
    const files = { 'package.json': '{"scripts": {"build": "node build.cjs"}}', 'build.cjs': BUILD };
    gitUrl = `file://${makeRepo(join(folder.path, 'site'), files).path}`;
    veren = await startVeren(data);
    await call('PUT', '/projects/site', { gitUrl });
    const variable = { value: SECRET, secret: true, seenBy: ['build'] };
    expect((await call('PUT', '/projects/site/variables/API_SECRET', variable)).status).toBe(200);
  }, 300_000);
  afterAll(async () => {
    await veren.stop();
    await folder.remove();
  }, 180_000);

  const frontend = { ...HOST_NODE, outputDirectory: 'dist', installCommand: '' };
  const call = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${veren.token}`, 'Content-Type': 'application/json' };
    const response = await fetch(veren.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as { deploymentId: string; code?: string } };
  };
  const deploy = async (env: Record<string, string>) => {
    const request = { projectId: 'site', gitUrl, frontend, backend: false, force: true, env };
    const { status, body } = await call('POST', '/deployments', request);
    expect(status).toBe(202);
    return body.deploymentId;
  };
  /** What production shows in the end. */
  const shown = async (deploymentId: string) => {
    const view = await veren.finished(deploymentId);
    expect([view.status, view.error]).toEqual(['succeeded', undefined]);
    const { url } = view.builds.frontend!.artifact as { url: string };
    return (await fetch(url)).text();
  };
  const change = async (keys: (known: Record<string, string>) => Record<string, string>) => {
    const file = join(data, 'secret-keys.json');
    await writeFile(file, JSON.stringify(keys(JSON.parse(await readFile(file, 'utf8')))));
  };
  const reseal = async () => {
    const args = ['--import', 'tsx', 'bin/reseal.ts', '--data', data];
    const { stdout, code } = await execFileAsync(process.execPath, args, { cwd: ROOT }).then(
      (done) => ({ ...done, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    );
    return { code, ...JSON.parse(stdout) };
  };

  test('nothing is lost, and the old key is not needed after a reseal', async () => {
    const first = await deploy({ ONCE });
    expect(await shown(first)).toBe(`${digest(SECRET)} ${digest(ONCE)}`);
    const projectId = (await veren.client.getDeployment(first)).projectId;
    await veren.call('PUT', `/projects/${projectId}/git-token`, { token: 'a-token-of-the-test' });

    // One is under way when the key is changed: it goes on with what the old key has sealed.
    const underway = await deploy({ ONCE: 'under way', WAIT_MS: '1500' });
    await eventually(async () => (await veren.client.getDeployment(underway)).status === 'building');
    expect(await veren.stop()).toBe(0);
    await change((known) => ({ ...known, current: '2', 'key-2': 'another-key-of-the-test'.padEnd(43, '.') }));
    expect(await reseal()).toMatchObject({ code: 1, requests: 2, jobsOfEarlierKeys: 1, gitSecrets: 1 });
    veren = await startVeren(data);
    expect(await shown(underway)).toBe(`${digest(SECRET)} ${digest('under way')}`);

    expect(await veren.stop()).toBe(0);
    expect(await reseal()).toEqual({
      code: 0,
      variables: 0,
      requests: 0,
      jobsOfEarlierKeys: 0,
      gitSecrets: 0,
      notifications: 0,
      githubApps: 0,
    });
    await change(({ 'key-1': _, ...others }) => others);
    veren = await startVeren(data);
    expect(await shown(await deploy({}))).toBe(`${digest(SECRET)} ${digest('')}`);
    const again = await call('POST', `/deployments/${first}/redeploy`);
    expect(again.status).toBe(202);
    expect(await shown(again.body.deploymentId)).toBe(`${digest(SECRET)} ${digest(ONCE)}`);
  }, 300_000);

  test('a key that is taken away too early is told, nothing is built without its variables, and it can be put back', async () => {
    const sealed = await deploy({ ONCE });
    await veren.finished(sealed);
    expect(await veren.stop()).toBe(0);
    let before: Record<string, string> = {};
    await change((known) => {
      before = known;
      return { current: '3', 'key-3': 'a-third-key-of-the-test'.padEnd(43, '.') };
    });
    veren = await startVeren(data);
    const refused = await call('POST', `/deployments/${sealed}/redeploy`);
    expect([refused.status, refused.body.code]).toEqual([409, 'SECRETS_UNREADABLE']);
    // Its start is tried again for some minutes, in which the operator may see to the key.
    const { body } = await call('POST', '/deployments', { projectId: 'site', frontend, backend: false, force: true });
    await eventually(async () => veren.logged.some((line) => line.includes('cannot be decrypted')));
    expect((await veren.client.getDeployment(body.deploymentId)).builds.frontend?.phases ?? []).toEqual([]);
    expect(await veren.stop()).toBe(0);
    await change((known) => ({ ...before, ...known }));
    veren = await startVeren(data);
    expect(await shown(body.deploymentId)).toBe(`${digest(SECRET)} ${digest('')}`);
  }, 300_000);
});
