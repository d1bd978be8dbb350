import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateDeployment, DeploymentView } from '../../contract/api.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** What of a repository visitors can read, on a platform as `npm start` has it. */
const platform = usePlatform();

let projects = 0;
async function deploy(
  files: Record<string, string>,
  frontend: Exclude<CreateDeployment['frontend'], false> = {},
  analyzed: (view: DeploymentView) => void = () => undefined,
) {
  const projectId = `private-${++projects}`;
  const { path } = makeRepo(join(platform.folder, projectId), files);
  const request = {
    projectId,
    gitUrl: pathToFileURL(path).href,
    frontend: { ...HOST_NODE, ...frontend },
    backend: false,
  } as const;
  const record = await platform.veren.deploy(request);
  analyzed(record);
  const artifact = record.builds.frontend?.artifact;
  const url = artifact?.kind === 'static' ? artifact.url : '';
  const log = (await platform.veren.logs(record.deploymentId)).map(({ line }) => line).join('\n');
  const status = async (file: string) => (await fetch(new URL(file, url), { redirect: 'manual' })).status;
  const statuses = async (names: readonly string[]) =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await status(name)])));
  return { record, artifact, log, url, statuses, warnings: artifact?.warnings ?? [] };
}

/** `status` for each of the names. */
const all = (names: readonly string[], status: number) => Object.fromEntries(names.map((name) => [name, status]));

const PRIVATE: Record<string, string> = {
  '.github/workflows/ci.yml': 'on: push',
  '.vscode/settings.json': '{"db":"postgres://user:pw@host/db"}',
  '.secrets.yml': 'secret: 1',
  'node_modules/left-pad/package.json': '{}',
  'node_modules/left-pad/index.js': '1',
  'lib/node_modules/x/index.js': '1',
  'package-lock.json': '{"lockfileVersion":3,"packages":{}}',
  'yarn.lock': '',
  'composer.lock': '{}',
  'requirements.txt': '',
};
const PAGES: Record<string, string> = {
  'index.html': '<link rel=stylesheet href=style.css><h1>root</h1>',
  '.well-known/security.txt': 'Contact: mailto:a@example.org',
  'server/public.js': 'console.log(1)',
};
const BUILD = JSON.stringify({ name: 'rootsite', private: true, scripts: { build: 'cp index.html made.html' } });

test('a page in the root beside which a build writes a style sheet', async () => {
  const { record, statuses, warnings, log } = await deploy({
    ...PAGES,
    '.github/workflows/ci.yml': 'on: push',
    '.vscode/settings.json': '{"db":"postgres://user:pw@host/db"}',
    '.secrets.yml': 'secret: 1',
    'style.src.css': 'body { color: red }',
    '.gitignore': 'node_modules',
    'package.json': JSON.stringify({
      name: 'rootsite',
      private: true,
      scripts: { build: 'esbuild style.src.css --minify --outfile=style.css' },
      devDependencies: { esbuild: '0.25.0', 'left-pad': '1.3.0' },
    }),
  });
  expect([record.error, record.plan?.frontend?.outputDirectory]).toEqual([undefined, '.']);
  const pages = [...Object.keys(PAGES), 'style.css'];
  expect(await statuses(pages)).toEqual(all(pages, 200));
  const secret = [
    'node_modules/left-pad/package.json',
    'node_modules/.package-lock.json',
    '.vscode/settings.json',
    '.secrets.yml',
    '.github/workflows/ci.yml',
    'package.json',
    'package-lock.json',
  ];
  expect(await statuses(secret)).toEqual(all(secret, 404));
  expect(warnings.join('\n')).toMatch(
    /^Not published, since "\." is a folder with sources: .*node_modules, package-lock.json, package.json\. Let the build write/,
  );
  expect(log).toContain(`Warning: ${warnings[0]}`);
}, 180_000);

const ways: [string, Record<string, string>, Exclude<CreateDeployment['frontend'], false>][] = [
  ['"."', {}, { outputDirectory: '.' }],
  ['"./"', {}, { outputDirectory: './' }],
  ['"././/"', {}, { outputDirectory: '././/' }],
  ['no build command', {}, { buildCommand: '', outputDirectory: '.' }],
];
test.each(ways)(
  'the output folder is the package’s own, named as %s',
  async (_, more, frontend) => {
    const { record, statuses } = await deploy(
      { ...PAGES, ...PRIVATE, ...more, 'package.json': BUILD },
      { installCommand: '', ...frontend },
    );
    expect(record.error).toBeUndefined();
    expect(await statuses(Object.keys(PAGES))).toEqual(all(Object.keys(PAGES), 200));
    expect(await statuses([...Object.keys(PRIVATE), 'package.json'])).toEqual(
      all([...Object.keys(PRIVATE), 'package.json'], 404),
    );
  },
  120_000,
);

test('the output folder is a link to the package, a copy of it, the folder above it', async () => {
  const at = (prefix: string, files: Record<string, string>) =>
    Object.fromEntries(Object.entries(files).map(([path, content]) => [prefix + path, content]));
  const build = (command: string) => JSON.stringify({ name: 'x', private: true, scripts: { build: command } });
  const base = { installCommand: '' } as const;
  const found = [
    await deploy({ ...PAGES, ...PRIVATE, 'package.json': build('ln -s . .out') }, { ...base, outputDirectory: '.out' }),
    await deploy(
      {
        ...PAGES,
        ...PRIVATE,
        'package.json': build('mkdir /tmp/$PPID-site && cp -r . /tmp/$PPID-site/ && mv /tmp/$PPID-site dist'),
      },
      { ...base, outputDirectory: 'dist' },
    ),
    await deploy(
      { ...PAGES, ...PRIVATE, 'web/package.json': build('true'), 'web/index.html': 'w' },
      { ...base, path: 'web', buildCommand: 'ln -s .. .out', outputDirectory: '.out' },
    ),
    await deploy(
      { ...at('web/', PAGES), ...at('web/', PRIVATE), 'web/package.json': build('true'), 'index.html': 'i' },
      { ...base, path: 'web', buildCommand: 'true', outputDirectory: '.' },
    ),
  ];
  for (const { record, statuses, warnings } of found) {
    expect(record.error).toBeUndefined();
    expect(await statuses(Object.keys(PAGES))).toEqual(all(Object.keys(PAGES), 200));
    expect(await statuses(Object.keys(PRIVATE))).toEqual(all(Object.keys(PRIVATE), 404));
    expect(warnings[0]).toContain('.secrets.yml');
  }
}, 240_000);

test('a folder that a build wrote is published whole, but for what is never published', async () => {
  const build =
    'mkdir -p dist/assets/node_modules/@expo/fonts dist/.hidden dist/.git && cp index.html dist/ && ' +
    'echo f > dist/assets/node_modules/@expo/fonts/a.ttf && echo h > dist/.hidden/a.txt && ' +
    'echo S=1 > dist/.env.local && echo g > dist/.git/config && echo k > dist/id_rsa';
  const { record, statuses, warnings } = await deploy(
    { ...PAGES, 'package.json': JSON.stringify({ name: 'x', private: true, scripts: { build } }) },
    { installCommand: '', outputDirectory: 'dist' },
  );
  expect(record.error).toBeUndefined();
  expect(
    await statuses(['index.html', 'assets/node_modules/@expo/fonts/a.ttf', '.env.local', '.git/config', 'id_rsa']),
  ).toEqual({
    'index.html': 200,
    'assets/node_modules/@expo/fonts/a.ttf': 200,
    '.env.local': 404,
    '.git/config': 404,
    id_rsa: 404,
  });
  expect(warnings).toEqual(['Not published: .env.local, id_rsa.']);
}, 120_000);

test('options of other commands in the build script name no output folder: what they write is not published', async () => {
  const { record, statuses, artifact } = await deploy({
    'index.html': '<!doctype html><title>t</title><script type=module src=/src/main.js></script>',
    'src/main.js': 'import { key } from "./generated/api.js"; document.body.append(key.length)',
    'gen.mjs': `import { mkdirSync, writeFileSync } from 'node:fs';
for (const [at, word] of process.argv.entries()) {
  if (!/^--(?:output|outDir|dest|out-dir)$/.test(word)) continue;
  mkdirSync(process.argv[at + 1], { recursive: true });
  writeFileSync(process.argv[at + 1] + '/api.js', 'export const key = "internal-value";\\n');
}`,
    '.gitignore': 'node_modules\ndist\nsrc/generated\nlib\n',
    'package.json': JSON.stringify({
      name: 'chained',
      private: true,
      type: 'module',
      scripts: {
        build:
          'node gen.mjs --output src/generated && node gen.mjs --outDir lib --dest . && vite build && node gen.mjs --out-dir server',
      },
      devDependencies: { vite: '6.3.5' },
    }),
  });
  expect([record.error, record.plan?.frontend?.outputDirectory]).toEqual([undefined, 'dist']);
  const paths = ['', 'api.js', 'src/generated/api.js', 'lib/api.js', 'server/api.js', 'gen.mjs', 'package.json'];
  expect(await statuses(paths)).toEqual({ ...all(paths, 404), '': 200 });
  expect(artifact).toMatchObject({ kind: 'static', files: 2 });
}, 240_000);

/** In halves, so that no scanner takes this file for a leak. */
const AWS_KEY = `AKIA${'Q7ZJ3NPB5XH2LMVT'}`;
const site = (files: Record<string, string>) => ({ 'index.html': '<h1>x</h1>', ...files });

test('an output with a secret is not published, unless it is allowed by name; publishable keys are', async () => {
  const files = site({ 'assets/app.js': `const a = 1;\nconst key = "${AWS_KEY}";` });
  const refused = await deploy(files);
  expect(refused.record.status).toBe('failed');
  expect(refused.record.error ?? refused.record.builds.frontend?.error).toMatchObject({
    code: 'SECRETS_IN_OUTPUT',
    message: expect.stringContaining('aws-access-key in assets/app.js (line 2)'),
  });
  expect(JSON.stringify(refused.record) + refused.log).not.toContain(AWS_KEY);

  for (const allowed of ['aws-access-key', 'assets/app.js', 'assets/'])
    expect((await deploy(files, { allowSecrets: [allowed] })).record.status).toBe('succeeded');
  expect((await deploy(files, { allowSecrets: ['github-token', 'other.js'] })).record.status).toBe('failed');

  const browser = await deploy(
    site({
      'app.js': `Stripe("pk_live_${'51HzQ8sKJd8f7GhT2LmNpQrStUvWxYz0123456789'}");
        const map = "AIza${'SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY'}";
        Sentry.init({ dsn: "https://${'a1b2c3d4e5f60718293a4b5c6d7e8f90'}@o12345.ingest.sentry.io/67890" });`,
    }),
  );
  expect([browser.record.status, browser.warnings]).toEqual(['succeeded', []]);

  const perhaps = await deploy(site({ 'config.json': '{"url":"postgres://app:s8f7Gh2Kq@db.internal:5432/app"}' }));
  expect(perhaps.record.status).toBe('succeeded');
  expect(perhaps.warnings).toEqual([expect.stringContaining('database-url in config.json (line 1)')]);
  expect(JSON.stringify(perhaps.record) + perhaps.log).not.toContain('s8f7Gh2Kq');
}, 240_000);
