import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateDeployment } from '../../contract/api.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** Packages of which only a build script says that they are sites, on a platform as `npm start` has it. */
const platform = usePlatform();

let projects = 0;
async function deploy(files: Record<string, string>, frontend: Exclude<CreateDeployment['frontend'], false> = {}) {
  const projectId = `unknown-${++projects}`;
  const { path } = makeRepo(join(platform.folder, projectId), files);
  const record = await platform.veren.deploy({
    projectId,
    gitUrl: pathToFileURL(path).href,
    frontend: { ...HOST_NODE, installCommand: '', ...frontend },
  });
  const artifact = record.builds.frontend?.artifact;
  const url = artifact?.kind === 'static' ? artifact.url : '';
  const log = (await platform.veren.logs(record.deploymentId)).map(({ line }) => line).join('\n');
  const page = async () => (await fetch(new URL('/', url))).text();
  return { record, log, page, warnings: artifact?.warnings ?? [] };
}

const pkg = (more: object = {}) => JSON.stringify({ private: true, scripts: { build: 'node build.mjs' }, ...more });
const writes = (folder: string, more = '') =>
  `import { mkdirSync, writeFileSync } from 'node:fs';
mkdirSync('${folder}', { recursive: true }); writeFileSync('${folder}/index.html', '<h1>made in ${folder}</h1>'); ${more}`;

test('a folder whose build script writes dist/index.html', async () => {
  const { record, log, page, warnings } = await deploy({
    'README.md': 'x',
    'site/package.json': pkg(),
    'site/build.mjs': writes('dist'),
    'site/public/index.txt': 'no page',
  });
  expect([record.error, record.status]).toEqual([undefined, 'succeeded']);
  expect(record.plan?.frontend).toMatchObject({ path: 'site', outputDirectory: null, framework: null });
  expect(record.plan?.warnings.join()).toContain('Nothing says what the build of "site" makes.');
  expect(await page()).toBe('<h1>made in dist</h1>');
  expect(warnings).toEqual([
    '"dist" is published, since the build wrote it and it holds an index.html. To make sure of it: "frontend.outputDirectory": "dist".',
  ]);
  expect(log).toContain(`Warning: ${warnings[0]}`);
}, 180_000);

test('a task runner that writes elsewhere; old pages, reports, dependencies and links are not taken', async () => {
  const { record, page } = await deploy(
    {
      'package.json': pkg({ scripts: { build: './gulp build' } }),
      gulp: '',
      'old/index.html': '<h1>old</h1>',
      'build.mjs': writes(
        'target/pages',
        `for (const other of ['coverage', 'node_modules/x', '.cache']) { mkdirSync(other, { recursive: true }); writeFileSync(other + '/index.html', 'no'); }
      (await import('node:fs')).symlinkSync('/tmp', 'dist');`,
      ),
    },
    { buildCommand: 'node build.mjs' },
  );
  expect(record.error).toBeUndefined();
  expect(await page()).toBe('<h1>made in target/pages</h1>');
}, 120_000);

test('another folder than the planned one: taken, but not in place of what the user named', async () => {
  const files = {
    'package.json': pkg({ scripts: { build: 'node build.mjs dist/main.js' } }),
    'src/index.html': '<h1>template</h1>',
    'build.mjs': writes('www', "mkdirSync('dist', { recursive: true }); writeFileSync('dist/main.js', '');"),
  };
  const detected = await deploy(files);
  expect([detected.record.error, detected.record.plan?.frontend?.outputDirectory]).toEqual([undefined, 'dist']);
  expect(await detected.page()).toBe('<h1>made in www</h1>');
  expect(detected.warnings[0]).toMatch(/^"www" is published, .* "dist" was expected and holds no index.html\./);
  const named = await deploy(files, { outputDirectory: 'dist' });
  expect(named.record.error).toBeUndefined();
  expect(named.warnings.join('\n')).toContain('To publish it: "frontend.outputDirectory": "www".');
  expect(named.warnings.join('\n')).toContain('"dist" holds no index.html');
  const missing = await deploy(files, { outputDirectory: 'nowhere' });
  expect(missing.record.error).toMatchObject({ code: 'OUTPUT_NOT_FOUND' });
  expect(missing.record.error?.message).toContain('"nowhere" is missing, and the build wrote "www"');
}, 240_000);

test('a build that makes no page ends with what was seen', async () => {
  const { record } = await deploy({
    'package.json': pkg(),
    'build.mjs': "import { writeFileSync } from 'node:fs'; writeFileSync('src/made.js', '');",
    'src/a.js': '',
    'site.old/index.html': 'old',
  });
  expect(record.error).toMatchObject({ code: 'OUTPUT_NOT_FOUND' });
  expect(record.error?.message).toMatch(
    /no folder that it wrote holds an index\.html \(the folders are "site\.old", "src"\)/,
  );
}, 120_000);
