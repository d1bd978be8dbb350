import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateDeployment } from '../../contract/api.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** No container engine of this machine answers, so that every backend fails, and soon. */
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere', CONTAINER_HOST: 'unix:///nowhere', STORAGE_DRIVER: 'none' };

/** Repositories that say themselves how they are deployed, on a laptop as a user has it. */
const platform = usePlatform(NO_ENGINE);
beforeAll(async () => {
  await mkdir(join(platform.folder, 'repos'));
});

const repository = (name: string, files: Record<string, string>): string =>
  makeRepo(join(platform.folder, 'repos', name), files).path;
const deploy = (projectId: string, folder: string, more: Partial<CreateDeployment> = {}) =>
  platform.veren.deploy({ projectId, gitUrl: pathToFileURL(folder).href, ...more });

test('folder, commands, output and history are those of the file, and a request wins over it', async () => {
  const folder = repository('stated', {
    'veren.json': JSON.stringify({
      $schema: './veren.schema.json',
      frontend: {
        ...HOST_NODE,
        path: 'pages',
        installCommand: '',
        buildCommand: 'node make.mjs',
        outputDirectory: 'made/here',
      },
      git: { fetchDepth: 0 },
    }),
    'index.html': 'not this one',
    'pages/make.mjs': `import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
const commits = execFileSync('git', ['rev-list', '--count', 'HEAD']);
mkdirSync('made/here', { recursive: true });
writeFileSync('made/here/index.html', \`\${commits} \${process.argv[2] ?? 'by the file'}\`);`,
    'pages/package.json': '{"private":true,"scripts":{"build":"exit 1"}}',
  });
  writeFileSync(join(folder, 'README.md'), 'second');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { cwd: folder });
  git('add', '.');
  git('commit', '-qm', 'second');

  const page = async (more?: Partial<CreateDeployment>) => {
    const record = await deploy('stated', folder, more);
    expect([record.error, record.builds.frontend?.error]).toEqual([undefined, undefined]);
    const artifact = record.builds.frontend?.artifact;
    if (artifact?.kind !== 'static') throw new Error('no site');
    return { record, text: await (await fetch(artifact.url)).text() };
  };
  const { record, text } = await page();
  expect(text.replace(/\s+/g, ' ')).toBe('2 by the file');
  expect(record.plan?.frontend?.evidence).toContainEqual({
    field: 'buildCommand',
    value: 'node make.mjs',
    rule: 'veren.json',
    file: 'veren.json',
  });
  expect(record.plan).toMatchObject({ git: { fetchDepth: 0 } });
  const asked = await page({ frontend: { buildCommand: 'node make.mjs asked' }, git: { fetchDepth: 1 } });
  expect(asked.text.replace(/\s+/g, ' ')).toBe('1 asked');
}, 240_000);

test('publication of the file: the site is live although the backend fails', async () => {
  const folder = repository('parts', {
    'veren.json': JSON.stringify({ publication: 'independent', backend: { ...HOST_NODE } }),
    'web/index.html': '<h1>parts</h1>',
    'api/package.json': JSON.stringify({ name: 'api', scripts: { start: 'node server.js' } }),
  });
  const record = await deploy('parts', folder);
  expect(record).toMatchObject({ status: 'failed', outcome: 'partial', plan: { publication: 'independent' } });
}, 240_000);

test('a faulty file fails the deployment and the analysis with every fault', async () => {
  const folder = repository('faulty', {
    'veren.json': JSON.stringify({ frontend: { buildComand: 'x', path: '../..' }, gitToken: 'abc', publication: 'x' }),
    'index.html': '',
  });
  const record = await deploy('faulty', folder);
  expect(record).toMatchObject({ status: 'failed', error: { code: 'SETTINGS_FILE_INVALID' } });
  for (const says of ['did you mean "buildCommand"', '".." is not allowed', '"gitToken" cannot', 'must be "together"'])
    expect(record.error?.message).toContain(says);
  const answer = await fetch(`${platform.veren.url}/analyze`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${platform.veren.token}` },
    body: JSON.stringify({ gitUrl: pathToFileURL(folder).href }),
  });
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({ code: 'SETTINGS_FILE_INVALID', detail: record.error?.message });
}, 120_000);

test('the schema is served without a token', async () => {
  const answer = await fetch(`${platform.veren.url}/veren.schema.json`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    additionalProperties: false,
    properties: { frontend: { anyOf: [{ const: false }, { additionalProperties: false }] } },
  });
});
