import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeploymentView } from '../../contract/api.ts';
import { eventually } from '../support/eventually.ts';
import { git, makeRepo } from '../support/gitServer.ts';
import { type PrivateRegistry, startPrivateRegistry } from '../support/privateRegistry.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** Variables and secrets of a project: who sees them, and where they are. */
const platform = usePlatform();

const TOKEN = 'npm_t0kenOfThePrivateRegistry';
const SECRETS = { production: 's3cret/of production?', preview: 's3cret/of preview?' };
const RUN_ONLY = 'run-only-s3cret-of-the-service';
const backwards = (text: string) => [...text].reverse().join('');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** Says what it sees, and looks for the token of the installation in every file and process that it can reach. */
const BUILD = `const fs = require('fs'), path = require('path');
require('@acme/pad');
const token = [...'${backwards(TOKEN)}'].reverse().join('');
const found = [];
const look = (file) => {
  try {
    const info = fs.lstatSync(file);
    if (info.isDirectory()) for (const name of fs.readdirSync(file)) look(path.join(file, name));
    else if (info.isFile() && fs.readFileSync(file).includes(token)) found.push(file);
  } catch {}
};
look(path.dirname(process.env.HOME));
for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)))
  for (const name of ['environ', 'cmdline']) {
    try {
      if (fs.readFileSync('/proc/' + pid + '/' + name).includes(token)) found.push(pid + ' ' + name);
    } catch {}
  }
const { API_SECRET = '', GREETING, NPM_TOKEN, RUN_ONLY } = process.env;
console.log('it is ' + API_SECRET, encodeURIComponent(API_SECRET), Buffer.from(API_SECRET).toString('base64'));
console.log('and ' + GREETING, 'from ' + process.env.ONCE);
const sees = { found, GREETING, token: NPM_TOKEN !== undefined, RUN_ONLY: RUN_ONLY !== undefined };
const secret = require('crypto').createHash('sha256').update(API_SECRET).digest('hex');
fs.mkdirSync('dist');
fs.writeFileSync('dist/index.html', JSON.stringify({ ...sees, secret }));`;

let registry: PrivateRegistry;
let repo: string;
beforeAll(async () => {
  registry = await startPrivateRegistry(TOKEN);
  repo = makeRepo(join(platform.folder, 'site'), { ...registry.project, 'build.cjs': BUILD }).path;
});
afterAll(() => registry.close());

const call = async (method: string, path: string, body?: unknown) => {
  const { url, token } = platform.veren;
  const response = await fetch(`${url}/projects/site/variables${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  expect([method, path, response.status, answer]).toEqual([method, path, 200, answer]);
  for (const secret of [TOKEN, RUN_ONLY, ...Object.values(SECRETS)]) expect(answer).not.toContain(secret);
  return JSON.parse(answer);
};
const deploy = (over: object = {}) =>
  platform.veren.deploy({
    ...{ projectId: 'site', gitUrl: `file://${repo}`, frontend: { ...HOST_NODE }, env: { ONCE: 'of-the-request' } },
    ...over,
  });
const artifactOf = (record: DeploymentView) => record.builds.frontend?.artifact as { deploymentUrl: string };
/** A deployment has its address a moment after it has succeeded. */
const seenBy = (record: DeploymentView): Promise<unknown> =>
  eventually(() => lookAt(record).catch(() => null), { withinMs: 20_000 });

/** Node's own clients do not know the names below `localhost`. */
function lookAt(record: DeploymentView): Promise<unknown> {
  const { host, port } = new URL(artifactOf(record).deploymentUrl);
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, headers: { host }, agent: false, timeout: 10_000 }, (response) => {
      void text(response)
        .then((body) => JSON.parse(body))
        .then(resolve, reject);
    }).on('error', reject);
  });
}
const logOf = async ({ deploymentId }: DeploymentView) =>
  (await platform.veren.logs(deploymentId)).map(({ line }) => line).join('\n');

test('a token for a private registry is seen by the installation alone, and each environment has values of its own', async () => {
  const first = await deploy();
  expect([first.status, first.error?.code, first.variables]).toEqual(['failed', 'INSTALL_FAILED', undefined]);

  await call('PUT', '/NPM_TOKEN', { value: TOKEN, secret: true, seenBy: ['install'] });
  await call('PUT', '/RUN_ONLY', { value: RUN_ONLY, secret: true, seenBy: ['run'] });
  for (const environment of ['production', 'preview'] as const) {
    const value = { secret: true, environments: [environment], seenBy: ['build'] };
    await call('PUT', '/API_SECRET', { value: SECRETS[environment], ...value });
    await call('PUT', '/GREETING', { value: `hello ${environment}`, environments: [environment] });
  }
  const all = await call('GET', '');
  expect([all.version, all.items.length]).toEqual([6, 6]);

  const production = await deploy();
  expect([production.status, production.builds.frontend?.error]).toEqual(['succeeded', undefined]);
  expect(production.variables).toEqual({ version: 6 });
  const nothing = { found: [], token: false, RUN_ONLY: false };
  expect(await seenBy(production)).toEqual({
    ...nothing,
    GREETING: 'hello production',
    secret: digest(SECRETS.production),
  });
  expect(registry.given).toBe(1);
  const log = await logOf(production);
  expect(log).toContain('it is *** *** ***');
  // The user has said that it is no secret; of a variable of the request nothing is known.
  expect(log).toContain('and hello production from ***');

  git(repo, ['branch', 'feature']);
  const preview = await deploy({ ref: 'feature' });
  expect(await seenBy(preview)).toEqual({ ...nothing, GREETING: 'hello preview', secret: digest(SECRETS.preview) });
  expect(await logOf(preview)).toContain('it is *** *** ***');

  // With what the cache of the first one holds.
  const again = await platform.veren.finished(
    (await platform.veren.client.redeploy(production.deploymentId)).deploymentId,
  );
  expect(await logOf(again)).toContain(`made of the same lockfile in deployment ${production.deploymentId}`);
  expect(await seenBy(again)).toMatchObject({ ...nothing, GREETING: 'hello production' });
  expect(registry.given).toBe(2);
}, 300_000);

test('what an installation leaves outside of the sources is removed, and among them it ends the build', async () => {
  const spare = 'npm config set //registry.example/:_authToken "$NPM_TOKEN" && cp -r ~ "$TMPDIR/copy" && npm ci';
  const cleared = await deploy({ frontend: { ...HOST_NODE, installCommand: spare } });
  expect([cleared.status, cleared.builds.frontend?.error]).toEqual(['succeeded', undefined]);
  expect(await logOf(cleared)).toMatch(/Removed \d+ files outside of the sources that held variables/);
  const { url } = (cleared.builds.frontend as unknown as { artifact: { url: string } }).artifact;
  expect(await (await fetch(url)).json()).toMatchObject({ found: [], token: false });

  const left = 'npm ci && printf "%s" "$NPM_TOKEN" | base64 -w0 >node_modules/.token && echo "$NPM_TOKEN"';
  const refused = await deploy({ frontend: { ...HOST_NODE, installCommand: left } });
  expect(refused.builds.frontend?.error).toMatchObject({
    code: 'INSTALL_LEFT_SECRET',
    message: expect.stringContaining('node_modules/.token'),
  });
  expect(await logOf(refused)).not.toContain(TOKEN);
}, 300_000);

test('no secret is in clear text anywhere below the data folder', async () => {
  for (const secret of [TOKEN, RUN_ONLY, ...Object.values(SECRETS)]) {
    const forms = [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)];
    for (const form of forms)
      expect(
        execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$0" || true', join(platform.folder, 'data'), form]).toString(),
      ).toBe('');
  }
});
