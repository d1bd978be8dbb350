import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layersKey } from '../../../builder-images/build-image-backend/utils/layers-key.ts';
import { installManifests } from '../../../builder-images/build-image-backend/utils/manifests.ts';
import { type Files, writeFiles } from '../harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-manifests-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const makeFile = (name: string): string => {
  writeFiles(folder, { [name]: '' });
  return join(folder, name);
};
const manifests = (files: Files, command = 'npm ci') => {
  writeFiles(folder, files);
  return installManifests(folder, command);
};
const json = JSON.stringify;

test('a package.json that is larger than any memory is none', async () => {
  truncateSync(makeFile('package.json'), 1.5 * 1_024 ** 3);
  const before = process.memoryUsage().rss;
  expect(await manifests({})).toMatchObject({ needsSource: 'there is no readable package.json' });
  expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
});

test('a lockfile that is larger than any memory is hashed piece by piece', async () => {
  truncateSync(makeFile('package-lock.json'), 2.5 * 1_024 ** 3);
  expect(await layersKey([], folder, ['package-lock.json'])).toMatch(/^[0-9a-f]{64}$/);
}, 60_000);

test('of a single package: what an installation reads, and no source', async () => {
  const found = await manifests({
    'package.json': json({ devDependencies: { a: '1' } }),
    'package-lock.json': '{}',
    '.npmrc': '',
    'patches/a.patch': '',
    'src/index.js': '',
    'tools/package.json': json({ scripts: { postinstall: 'node x' } }),
    'node_modules/x/package.json': '{}',
  });
  expect(found).toEqual({
    paths: ['.npmrc', 'package-lock.json', 'package.json', 'patches'],
    needsSource: null,
    devDependencies: true,
    programs: [],
  });
});

test('of a workspace: the package.json of every package', async () => {
  const found = await manifests(
    {
      'package.json': json({}),
      'pnpm-workspace.yaml': '',
      'pnpm-lock.yaml': '',
      'apps/api/package.json': json({ devDependencies: { a: '1' } }),
      'apps/api/server.js': '',
      'apps/api/node_modules/x/package.json': '{}',
    },
    'pnpm install --frozen-lockfile',
  );
  expect(found.paths).toEqual(['apps/api/package.json', 'package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']);
  expect(found).toMatchObject({ needsSource: null, devDependencies: true });
});

test.each([
  [
    'a postinstall script',
    { 'package.json': json({ scripts: { postinstall: 'prisma generate' } }) },
    'npm ci',
    'postinstall',
  ],
  ['a dependency in a folder', { 'package.json': json({ dependencies: { a: 'file:../a' } }) }, 'npm ci', 'folder'],
  ['an override from a folder', { 'package.json': json({ overrides: { a: { b: 'file:./b' } } }) }, 'npm ci', 'folder'],
  ['an archive', { 'package.json': json({ dependencies: { a: 'vendor/a-1.0.0.tgz' } }) }, 'npm ci', 'folder'],
  ['a script of Yarn’s', { 'package.json': json({ dependencies: { a: 'exec:./gen.js' } }) }, 'yarn install', 'folder'],
  [
    'injected dependencies',
    { 'package.json': json({ dependenciesMeta: { a: { injected: true } } }) },
    'pnpm i',
    'injected',
  ],
  [
    'a catalog of folders',
    { 'package.json': '{}', 'pnpm-lock.yaml': '', 'pnpm-workspace.yaml': 'catalog:\n  a: link:./a\n' },
    'pnpm install',
    'folder',
  ],
  ['no lockfile', { 'package.json': '{}' }, 'npm install', 'lockfile'],
  [
    'a hook that loads another file',
    { 'package.json': '{}', 'pnpm-lock.yaml': '', '.pnpmfile.cjs': "require('./tools/hook')" },
    'pnpm install',
    '.pnpmfile.cjs',
  ],
  ['a native module', { 'package.json': '{}', 'binding.gyp': '' }, 'npm ci', 'binding.gyp'],
  ['a command of its own', { 'package.json': '{}' }, 'make install', 'plain'],
  ['no package.json', { 'a.js': '' }, 'npm ci', 'package.json'],
])('%s needs the source', async (_, files, command, reason) => {
  expect((await manifests(files as Files, command)).needsSource).toContain(reason);
});

test.each(['husky', 'husky install', 'is-ci || husky install', 'patch-package'])('%s does not', async (prepare) => {
  const files = { 'package.json': json({ scripts: { prepare } }), 'package-lock.json': '{}' };
  expect((await manifests(files)).needsSource).toBeNull();
});

const npmLock = (...withScript: string[]) => ({
  'package.json': '{}',
  'package-lock.json': json({
    packages: Object.fromEntries(
      [...withScript, 'express'].map((name) => [
        `node_modules/${name}`,
        { hasInstallScript: withScript.includes(name) },
      ]),
    ),
  }),
});
const pnpmLock = (name: string) => `lockfileVersion: '9.0'\npackages:\n  ${name}@1.0.0:\n    resolution: {}\n`;

test.each<[string, Files, string, string, boolean]>([
  ['npm: none', npmLock(), 'npm ci', '', false],
  ['npm: ones that only compile', npmLock('esbuild', 'bcrypt', 'sharp'), 'npm ci', '', false],
  ['npm: an unknown one', npmLock('esbuild', '@own/setup'), 'npm ci', '', true],
  ['npm: deep in the tree', npmLock('a/node_modules/puppeteer'), 'npm ci', '', true],
  ['npm: without scripts', { ...npmLock('puppeteer'), '.npmrc': 'ignore-scripts=true\n' }, 'npm ci', '', false],
  ['npm: Prisma', { ...npmLock('@prisma/client', 'prisma'), 'prisma/schema.prisma': '' }, 'npm ci', '', false],
  ['npm: Prisma by a program', { ...npmLock('@prisma/client'), 'prisma.config.ts': '' }, 'npm ci', '', true],
  ['yarn', { 'package.json': '{}', 'yarn.lock': 'ms@^2:\n  version "2.1.3"\n' }, 'yarn install', '1', false],
  ['yarn: a reader', { 'package.json': '{}', 'yarn.lock': '"puppeteer@npm:^24":\n  version: 24\n' }, 'yarn', '4', true],
  ['pnpm 9', { 'package.json': '{}', 'pnpm-lock.yaml': pnpmLock('puppeteer') }, 'pnpm install', '9.1.0', true],
  [
    'pnpm 10 runs none',
    { 'package.json': '{}', 'pnpm-lock.yaml': pnpmLock('puppeteer') },
    'pnpm install',
    '10.1.0',
    false,
  ],
  [
    'pnpm 10 runs what is allowed',
    {
      'package.json': '{}',
      'pnpm-lock.yaml': pnpmLock('own'),
      'pnpm-workspace.yaml': 'onlyBuiltDependencies: [own, absent]\n',
    },
    'pnpm install',
    '10.1.0',
    true,
  ],
  [
    'pnpm 8 says which',
    {
      'package.json': '{}',
      'pnpm-lock.yaml': "lockfileVersion: '6.0'\npackages:\n  /own@1.0.0:\n    requiresBuild: true\n",
    },
    'pnpm install',
    '8.15.9',
    true,
  ],
  [
    'bun, older',
    { 'package.json': json({ dependencies: { puppeteer: '1' } }), 'bun.lockb': '\0' },
    'bun install',
    '1',
    true,
  ],
])('install scripts of dependencies, %s', async (_, files, command, version, source) => {
  writeFiles(folder, files);
  const { needsSource } = await installManifests(folder, command, version);
  if (source) expect(needsSource).toMatch(/^the install script of /);
  else expect(needsSource).toBeNull();
});

test.each<[string, Files, string, string[]]>([
  [
    'pnpm: patches',
    {
      'package.json': json({ pnpm: { patchedDependencies: { 'ms@2.1.3': 'tools/patches/ms.patch' } } }),
      'tools/patches/ms.patch': '',
      'tools/patches/other.patch': '',
    },
    'pnpm install',
    ['tools/patches/ms.patch'],
  ],
  [
    'pnpm: patches in its workspace file, one with a space in its name',
    {
      'package.json': '{}',
      'pnpm-workspace.yaml': "patchedDependencies:\n  ms@2.1.3: tools/ms.patch\n  a: 'my tools/a.patch'\n",
      'tools/ms.patch': '',
      'my tools/a.patch': '',
    },
    'pnpm install',
    ['my tools/a.patch', 'tools/ms.patch'],
  ],
  [
    'bun: patches',
    { 'package.json': json({ patchedDependencies: { 'ms@2.1.3': 'x/ms.patch' } }), 'x/ms.patch': '' },
    'bun install',
    ['x/ms.patch'],
  ],
  [
    'Yarn: the patch protocol',
    {
      'package.json': json({ resolutions: { ms: 'patch:ms@npm%3A2.1.3#./x/ms.patch', a: 'patch:a@1#~/y/a.patch' } }),
      'x/ms.patch': '',
      'y/a.patch': '',
    },
    'yarn install',
    ['x/ms.patch', 'y/a.patch'],
  ],
  [
    'Yarn: release and plugins',
    {
      'package.json': '{}',
      '.yarnrc.yml': 'yarnPath: tools/yarn.cjs\nplugins:\n  - path: "tools/plugin.cjs"\n    spec: x\n',
      'tools/yarn.cjs': '',
      'tools/plugin.cjs': '',
    },
    'yarn install',
    ['tools/plugin.cjs', 'tools/yarn.cjs'],
  ],
  [
    'Yarn 1: a mirror of packages',
    { 'package.json': '{}', '.yarnrc': 'yarn-offline-mirror "./mirror"\n', 'mirror/a.tgz': '' },
    'yarn install',
    ['mirror'],
  ],
  [
    'npm: certificates; pnpm: hooks',
    {
      'package.json': '{}',
      '.npmrc': 'cafile=./tls/ca.pem\npnpmfile=tools/hooks.cjs\n',
      'tls/ca.pem': '',
      'tools/hooks.cjs': '',
    },
    'npm ci',
    ['tls/ca.pem', 'tools/hooks.cjs'],
  ],
  [
    'settings by their names',
    { 'package.json': '{}', '.puppeteerrc.cjs': '', 'lefthook.yml': '' },
    'npm ci',
    ['.puppeteerrc.cjs', 'lefthook.yml'],
  ],
  [
    'a schema of Prisma',
    { 'package.json': json({ prisma: { schema: 'db/s.prisma' } }), 'db/s.prisma': '' },
    'npm ci',
    ['db/s.prisma'],
  ],
])('what an installation reads, %s', async (_, files, command, expected) => {
  const { paths } = await manifests({ ...files, 'src/index.js': '', 'server.js': '' }, command);
  expect(paths).toEqual(expect.arrayContaining(expected));
  expect(paths.filter((path) => /^(?:src|server)|other/.test(path))).toEqual([]);
});

test('programs of the workspace’s own packages are there when their links are made; patches of every package', async () => {
  const found = await manifests({
    'package.json': json({ workspaces: ['packages/*'] }),
    'package-lock.json': '{}',
    'packages/cli/package.json': json({
      name: 'cli',
      bin: { cli: './bin/cli.js', gone: 'dist/x.js', out: '../../etc/x' },
    }),
    'packages/cli/bin/cli.js': '',
    'packages/cli/src/a.js': '',
    'packages/cli/patches/a.patch': '',
    'packages/one/package.json': json({ name: 'one', bin: 'run.js' }),
    'packages/one/run.js': { link: '/etc/passwd' },
  });
  expect(found.programs).toEqual(['packages/cli/bin/cli.js']);
  expect(found.paths).toEqual([
    'package-lock.json',
    'package.json',
    'packages/cli/bin/cli.js',
    'packages/cli/package.json',
    'packages/cli/patches',
    'packages/one/package.json',
  ]);
  expect(found.needsSource).toBeNull();
});

test('settings and lockfiles of hostile lines cost no more than their length', async () => {
  const started = performance.now();
  await manifests(
    {
      'package.json': json({ config: { a: `x=${' '.repeat(300_000)}y` } }),
      'pnpm-lock.yaml': `lockfileVersion: '6.0'\n  /${'a/'.repeat(300_000)}\n${'"a'.repeat(300_000)}`,
      '.npmrc': `a=${' '.repeat(300_000)}y\n`,
    },
    'pnpm install',
  );
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('settings lead neither out of the repository nor through its links, and never to a folder of packages', async () => {
  const found = await manifests({
    'package.json': json({ workspaces: ['packages/a'] }),
    'package-lock.json': '{}',
    '.npmrc': 'cafile=/etc/passwd\na=../x\nb=./out/passwd\nc=packages/a\nd=./packages\ne=node_modules/x/y.js\n',
    out: { link: '/etc' },
    'packages/a/package.json': '{}',
    'node_modules/x/y.js': '',
  });
  expect(found.paths).toEqual(['.npmrc', 'package-lock.json', 'package.json', 'packages/a/package.json']);
});

test('links are not followed: a package.json that points out of the repository is not read', async () => {
  const found = await manifests({ 'package.json': { link: '/proc/self/environ' }, apps: { link: '/etc' } });
  expect(found.paths).toEqual([]);
  expect(found.needsSource).not.toBeNull();
});
