import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePackageManager, preparePackageManager } from '../../../builder-images/shared/package-manager.ts';
import { createSandbox } from '../../../builder-images/shared/sandbox.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-tools-'));
  for (const name of ['bin', 'image', 'own']) mkdirSync(join(folder, name));
  // An npm that "installs" by writing what the registry would resolve a major to.
  const npm = String.raw`#!/bin/sh
while [ "$1" != --prefix ]; do shift; done; prefix=$2
for spec; do :; done
name=$(echo "$spec" | sed 's/\(.\)@.*/\1/'); version=$(echo "$spec" | sed 's/.*@//')
[ "$version" = 99 ] && { echo "npm error notarget No matching version" >&2; exit 1; }
case $version in *.*.*) exact=$version ;; *) exact=$version.7.1 ;; esac
mkdir -p "$prefix/node_modules/$name"; echo "{\"version\":\"$exact\"}" > "$prefix/node_modules/$name/package.json"
`;
  writeFileSync(join(folder, 'bin/npm'), npm);
  chmodSync(join(folder, 'bin/npm'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const prepare = (spec: string) =>
  preparePackageManager({
    spec,
    imagePath: `${join(folder, 'node/bin')}:/nonexistent`,
    tools: [join(folder, 'image')],
    target: { folder: join(folder, 'own'), shared: true },
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
    sandbox: createSandbox({ maxProcesses: 100, cookie: 'A=b' }),
    signal: new AbortController().signal,
    say: () => undefined,
  });

test.each([
  ['', null],
  ['npm', null],
  ['npm@10.8.1', { name: 'npm', package: 'npm', version: '10.8.1' }],
  ['npm@9.9.4+sha512.abc', { name: 'npm', package: 'npm', version: '9.9.4' }],
  ['npm@9', { name: 'npm', package: 'npm', version: '9' }],
  ['pnpm', { name: 'pnpm', package: 'pnpm', version: '10' }],
  ['pnpm@9.15.0+sha512.abc', { name: 'pnpm', package: 'pnpm', version: '9.15.0' }],
  ['yarn', { name: 'yarn', package: 'yarn', version: '1' }],
  ['yarn@1.22.22', { name: 'yarn', package: 'yarn', version: '1.22.22' }],
  ['yarn@4', { name: 'yarn', package: '@yarnpkg/cli-dist', version: '4' }],
  ['yarn@3.8.7', { name: 'yarn', package: '@yarnpkg/cli-dist', version: '3.8.7' }],
  ['bun@1', { name: 'bun', package: 'bun', version: '1' }],
])('%p means %p', (spec, expected) => {
  expect(parsePackageManager(spec)).toEqual(expected);
});

test('what the image holds is taken without asking the registry: the newest that fits', async () => {
  for (const name of ['pnpm@9.2.0', 'pnpm@9.15.9', 'pnpm@10.1.0', 'yarn@1.22.22'])
    mkdirSync(join(folder, 'image', name));
  expect(await prepare('pnpm@9')).toBe(join(folder, 'image/pnpm@9.15.9/node_modules/.bin'));
  expect(await prepare('pnpm@9.2.0')).toBe(join(folder, 'image/pnpm@9.2.0/node_modules/.bin'));
  expect(await prepare('pnpm')).toBe(join(folder, 'image/pnpm@10.1.0/node_modules/.bin'));
  expect(await prepare('npm')).toBeNull();
  expect(readdirSync(join(folder, 'own'))).toEqual([]);
});

test('Bun, which no image holds, is installed as the version that is tested, unless another one is asked for', async () => {
  expect(await prepare('bun')).toBe(join(folder, 'own/bun@1.4.5/node_modules/.bin'));
  expect(await prepare('bun@1')).toBe(join(folder, 'own/bun@1.4.5/node_modules/.bin'));
  expect(await prepare('bun@1.3.1')).toBe(join(folder, 'own/bun@1.3.1/node_modules/.bin'));
});

test('what it does not hold is installed once', async () => {
  mkdirSync(join(folder, 'image/pnpm@1.0.0'));
  expect(await prepare('pnpm@10')).toBe(join(folder, 'own/pnpm@10.7.1/node_modules/.bin'));
  expect(await prepare('yarn@4')).toBe(join(folder, 'own/yarn@4.7.1/node_modules/.bin'));
  rmSync(join(folder, 'bin/npm'));
  expect(await prepare('pnpm@10')).toBe(join(folder, 'own/pnpm@10.7.1/node_modules/.bin'));
  expect(existsSync(join(folder, 'own/yarn@4.7.1/node_modules/@yarnpkg/cli-dist/package.json'))).toBe(true);
});

test('the npm of Node is taken where it is what is wanted, and another is installed', async () => {
  mkdirSync(join(folder, 'node/lib/npm/bin'), { recursive: true });
  mkdirSync(join(folder, 'node/bin'));
  writeFileSync(join(folder, 'node/lib/npm/package.json'), '{"version":"10.8.2"}');
  writeFileSync(join(folder, 'node/lib/npm/bin/npm-cli.js'), '');
  symlinkSync('../lib/npm/bin/npm-cli.js', join(folder, 'node/bin/npm'));
  expect(await prepare('npm@10.8.2')).toBeNull();
  expect(await prepare('npm@10.8')).toBeNull();
  expect(await prepare('npm@10')).toBeNull();
  expect(await prepare('npm@9')).toBe(join(folder, 'own/npm@9.7.1/node_modules/.bin'));
});

test('a version that does not exist is told with the registry’s reason', async () => {
  await expect(prepare('pnpm@99')).rejects.toMatchObject({
    code: 'TOOLCHAIN_UNAVAILABLE',
    message: expect.stringContaining('No matching version'),
  });
  expect(readdirSync(join(folder, 'own'))).toEqual([]);
});
