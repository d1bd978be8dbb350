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
  ['a native module', { 'package.json': '{}', 'binding.gyp': '' }, 'npm ci', 'binding.gyp'],
  ['a command of its own', { 'package.json': '{}' }, 'make install', 'plain'],
  ['no package.json', { 'a.js': '' }, 'npm ci', 'package.json'],
])('%s needs the source', async (_, files, command, reason) => {
  expect((await manifests(files as Files, command)).needsSource).toContain(reason);
});

test.each(['husky', 'husky install', 'is-ci || husky install', 'patch-package'])('%s does not', async (prepare) => {
  expect((await manifests({ 'package.json': json({ scripts: { prepare } }) })).needsSource).toBeNull();
});

test('links are not followed: a package.json that points out of the repository is not read', async () => {
  const found = await manifests({ 'package.json': { link: '/proc/self/environ' }, apps: { link: '/etc' } });
  expect(found.paths).toEqual([]);
  expect(found.needsSource).not.toBeNull();
});
