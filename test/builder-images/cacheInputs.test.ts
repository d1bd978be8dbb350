import { join } from 'node:path';
import { cacheInputs, isStoreOf } from '../../builder-images/builder-image-frontend/utils/cache/inputs.ts';
import { createSandbox } from '../../builder-images/shared/sandbox.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';
import { type Files, repository } from './harness.ts';

afterAll(removeFolders);

let count = 0;
const folder = temporaryFolder();

async function inputsOf(files: Files, over: object = {}, lockfile = 'package-lock.json') {
  const source = join(folder, `r${++count}`);
  repository(source, { 'package.json': '{"name":"x"}', [lockfile]: '1', ...files });
  return cacheInputs({
    source,
    sandbox: createSandbox({ maxProcesses: 100, cookie: 'x=y' }),
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    installCommand: 'npm ci',
    installPath: '.',
    packageManager: 'npm',
    nodeMajor: 20,
    buildEnv: {},
    ...over,
  });
}

describe('an install that its inputs say all about', () => {
  test.each<[string, Files]>([
    ['settings of npm', { '.npmrc': 'engine-strict=true\n//registry.example/:_authToken=x\ngit-checks=false\n' }],
    ['a workspace of pnpm', { 'pnpm-workspace.yaml': 'packages:\n  - ./packages/*\nshellEmulator: true\n' }],
    [
      'Yarn and its plugins, as `yarn set version` and `yarn plugin import` write them',
      {
        '.yarnrc.yml':
          'nodeLinker: node-modules\nplugins:\n  - checksum: ab12\n    path: .yarn/plugins/@yarnpkg/plugin-x.cjs\n    spec: "@yarnpkg/plugin-x"\nsupportedArchitectures:\n  os:\n    - linux\nyarnPath: .yarn/releases/yarn-4.1.0.cjs\n',
      },
    ],
    [
      'a workspace with paths and addresses',
      {
        'package.json': JSON.stringify({
          main: './index.js',
          workspaces: ['./packages/*'],
          dependencies: {
            a: '^1.0.0',
            b: 'workspace:*',
            c: 'https://host.example/c.tgz',
            d: 'npm:e@1',
            f: 'github:x/f',
          },
        }),
      },
    ],
    ['Yarn’s downloads where it has them', { '.yarnrc.yml': 'cacheFolder: ./.yarn/cache\nenableGlobalCache: false\n' }],
    ['Yarn 1', { '.yarnrc': 'yarn-path ".yarn/releases/yarn-1.22.22.cjs"\n' }],
  ])('%s', async (_, files) => expect((await inputsOf(files)).install).toMatch(/^[0-9a-f]{64}$/));
});

test('attributes decide what is checked out of the same content, so they are inputs too', async () => {
  const plain = await inputsOf({});
  const changed = await inputsOf({ '.gitattributes': 'package-lock.json working-tree-encoding=UTF-7' });
  expect([plain.install, changed.install === plain.install]).toEqual([expect.any(String), false]);
});

describe('an install that may read any file', () => {
  test.each<[string, Files]>([
    ['a hook of pnpm’s', { '.pnpmfile.cjs': '' }],
    ['a hook of pnpm’s, in a folder below', { 'a/.pnpmfile.mjs': '' }],
    ['native code of its own', { 'binding.gyp': '{}' }],
    ['a module that npm loads into every script', { '.npmrc': 'node-options=--require ./evil.js\n' }],
    ['a shell of its own', { '.npmrc': 'loglevel=error\n  script-shell = ./sh\n' }],
    ['git of its own', { '.npmrc': 'git=./git\n' }],
    ['a hook by another name', { '.npmrc': 'pnpmfile=hooks.js\n' }],
    ['the same as pnpm 10 has it', { 'pnpm-workspace.yaml': 'pnpmfile: hooks.js\n' }],
    ['a module that bun loads first', { 'bunfig.toml': 'preload = ["./x.ts"]\n' }],
    ['Yarn from another file', { '.yarnrc.yml': 'yarnPath: tools/yarn.cjs\n' }],
    ['Yarn from a file beside', { '.yarnrc.yml': 'yarnPath: .yarn/../tools/yarn.cjs\n' }],
    ['Yarn 1 from another file', { '.yarnrc': 'yarn-path "tools/yarn.js"\n' }],
    ['a plugin from another file', { '.yarnrc.yml': 'plugins:\n  - ./tools/p.cjs\n' }],
    ['a plugin from another file, with more said', { '.yarnrc.yml': 'plugins:\n  - path: "tools/p"\n    spec: p\n' }],
    ['downloads of its own', { '.yarnrc': 'cache-folder "./downloads"\n' }],
    ['downloads of its own, of pnpm', { '.npmrc': 'store-dir = downloads\n' }],
    ['a lockfile that is a link', { 'package-lock.json': { link: 'locks/one' }, 'locks/one': '1' }],
    ['settings that are a link', { '.npmrc': { link: 'other' }, other: '' }],
    ['a folder of patches that is a link', { patches: { link: 'fixes' }, 'fixes/a.txt': '' }],
    ['a folder of Yarn’s that is a link', { '.yarn': { link: 'tools' }, 'tools/yarn.cjs': '' }],
    ...['file:./a', 'link:a', 'exec:./make.js', './a', '../a', '~/a', 'a.tgz', 'packed/a.tar.gz'].map(
      (version): [string, Files] => [
        `a dependency on ${version}`,
        { 'package.json': JSON.stringify({ devDependencies: { a: version } }) },
      ],
    ),
    ['a replaced dependency of a dependency', { 'package.json': '{"overrides":{"a":{"b":"file:./b"}}}' }],
    ['scripts of its own', { 'a/package.json': '{"scripts":{"postinstall":"x"}}' }],
  ])('%s', async (_, files) => expect((await inputsOf(files)).install).toBeNull());
});

describe('variables of the install', () => {
  test.each([
    ['NODE_OPTIONS', '--require ./evil.js'],
    ['NODE_OPTIONS', '--max-old-space-size=4096 -r evil'],
    ['NODE_OPTIONS', '--import=./evil.mjs'],
    ['npm_config_node_options', '--require=./evil.js'],
    ['npm_config_script_shell', './sh'],
    ['NPM_CONFIG_USERCONFIG', 'settings'],
    ['PATH', './bin:/usr/bin'],
    ['BASH_ENV', 'setup'],
    ['LD_PRELOAD', './evil.so'],
    ['GIT_SSH_COMMAND', './ssh'],
    ['YARN_RC_FILENAME', 'other'],
    ['CC', './cc'],
    ['YARN_CACHE_FOLDER', './downloads'],
  ])('%s=%s may run a file that no key knows', async (name, value) =>
    expect((await inputsOf({}, { buildEnv: { [name]: value } })).install).toBeNull(),
  );

  test.each([
    ['NODE_OPTIONS', '--max-old-space-size=4096 --openssl-legacy-provider'],
    ['npm_config_registry', 'https://registry.example/'],
    ['NODE_ENV', 'production'],
    ['API_PATH', './api'],
    ['NODE_AUTH_TOKEN', 'x'],
    ['GITHUB_TOKEN', 'x'],
  ])('%s=%s does not', async (name, value) =>
    expect((await inputsOf({}, { buildEnv: { [name]: value } })).install).toMatch(/^[0-9a-f]{64}$/),
  );
});

test('the key changes with the schema that Prisma generates its client from', async () => {
  const one = await inputsOf({ 'prisma/schema.prisma': 'a' });
  expect((await inputsOf({ 'prisma/schema.prisma': 'b' })).install).not.toBe(one.install);
  expect((await inputsOf({ 'prisma/schema.prisma': 'a', 'readme.md': 'x' })).install).toBe(one.install);
});

describe('whose downloads may be used', () => {
  const yarn = { packageManager: 'yarn@1.22.22', installCommand: 'yarn install --frozen-lockfile' };
  const own = { 'package.json': '{"scripts":{"postinstall":"x"}}' };

  test('npm’s: of any lockfile, since it checks them by this one', async () => {
    const [a, b] = [await inputsOf({}), await inputsOf({ 'package-lock.json': '2', ...own })];
    expect(isStoreOf(a.store!, b)).toBe(true);
  });

  test('others’: of the same lockfiles, settings, variables and manager', async () => {
    const a = await inputsOf({}, yarn);
    expect(isStoreOf(a.store!, await inputsOf({ 'readme.md': 'x' }, yarn))).toBe(true);
    for (const [files, over] of [
      [{ 'package-lock.json': '2' }, yarn],
      [{ '.yarnrc': 'registry "https://evil.example"\n' }, yarn],
      [{}, { ...yarn, buildEnv: { npm_config_registry: 'https://evil.example' } }],
      [{}, { ...yarn, packageManager: 'yarn@1.22.21' }],
      [{}, { packageManager: 'pnpm@9.15.0', installCommand: 'pnpm install' }],
      [{}, {}],
    ] as const)
      expect(isStoreOf(a.store!, await inputsOf(files, over))).toBe(false);
  });

  test('others’, where the repository’s own code installs: of the same files', async () => {
    const a = await inputsOf({ ...own, 'setup.js': '1' }, yarn);
    expect(isStoreOf(a.store!, await inputsOf({ ...own, 'setup.js': '1' }, yarn))).toBe(true);
    expect(isStoreOf(a.store!, await inputsOf({ ...own, 'setup.js': '2' }, yarn))).toBe(false);
  });

  test('nobody’s without a lockfile', async () => {
    const { store, lockfiles, install } = await inputsOf({}, {}, 'no-lock.json');
    expect([store, lockfiles, install]).toEqual([null, null, null]);
  });
});
