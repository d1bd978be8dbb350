import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Keys } from '../../contract/names.ts';
import { useWorld } from './bundle.ts';
import { commitAll, type Files, repository } from './harness.ts';

/** The caches over real builds, with an npm of ours that tells whether it was run and what it found. */
const world = useWorld();
const NPM = `#!/bin/sh
echo "npm was run, store: $(cat "$npm_config_cache/_cacache/content" 2>/dev/null || echo empty)"
rm -rf node_modules; mkdir -p node_modules/dep node_modules/.bin "$npm_config_cache/_cacache" "$HOME/.cache"
date +%s%N > node_modules/dep/stamp; ln -s ../dep/stamp node_modules/.bin/stamp
echo "of lock $(cat package-lock.json)" > "$npm_config_cache/_cacache/content"
echo downloaded > "$HOME/.cache/browser"
`;

beforeAll(() => {
  const bin = join(world().dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'npm'), NPM);
  chmodSync(join(bin, 'npm'), 0o755);
});

const FILES: Files = {
  'package.json': '{"name":"x","version":"1.0.0"}',
  'package-lock.json': '1',
  '.gitignore': 'node_modules\nout\n',
  'build.sh': {
    script: [
      'mkdir out; cat node_modules/.bin/stamp "$HOME/.cache/browser" > out/index.html',
      'mkdir -p node_modules/.cache; echo x >> node_modules/.cache/runs; wc -l < node_modules/.cache/runs > out/runs.txt',
    ].join('\n'),
  },
};

function project(name: string, files: Files = FILES) {
  const folder = join(world().dir, 'repos', name);
  const source = { projectId: name, ...repository(folder, files) };
  return {
    folder,
    source,
    async deploy(commit = source.commit, env: Record<string, string> = {}) {
      const built = await world().build(
        { ...source, commit },
        {
          PATH: `${join(world().dir, 'bin')}:${process.env.PATH}`,
          INSTALLCOMMAND: 'npm ci',
          BUILDCOMMAND: 'sh build.sh',
          OUTPUT_DIR: 'out',
          PACKAGE_MANAGER: 'npm',
          ...env,
        },
      );
      expect([built.code, built.log, built.output]).toEqual([0, expect.any(String), expect.any(String)]);
      const page = (await world().page(name, 'index.html')).text;
      const runs = (await world().page(name, 'runs.txt')).text.trim();
      return { ...built, page, runs, ran: /npm was run, store: (.*)/.exec(built.log)?.[1] };
    },
  };
}

test('the same lockfile: what the install made is restored, and the build tools find what they kept', async () => {
  const { deploy, folder } = project('warm');
  const first = await deploy();
  expect([first.ran, first.runs]).toEqual(['empty', '1']);
  const second = await deploy(commitAll(folder, { 'readme.md': 'other commit' }));
  expect([second.ran, second.runs]).toEqual([undefined, '2']);
  expect(second.page).toBe(first.page); // its stamp, and what it had put into HOME
  expect(second.log).toContain('Restored what "npm ci" made of the same lockfile');
  expect((await deploy()).runs).toBe('3');

  const changed = await deploy(commitAll(folder, { 'package-lock.json': '2' }));
  expect([changed.ran, changed.runs]).toEqual(['of lock 1', '1']); // only the store crosses lockfiles
  expect(changed.page).not.toBe(first.page);
  const variables = await deploy(undefined, { BUILD_ENV: '{"FLAG":"1"}' });
  expect(variables.ran).toBe('of lock 2');
  const without = await deploy(undefined, { BUILD_ENV: '{"DISABLE_BUILD_CACHE":"1"}' });
  expect([without.ran, without.runs]).toEqual(['empty', '1']);
  expect((await world().keys(s3Keys.cache('warm'))).map((key) => key.replace(/-[0-9a-f-]{36}/, ''))).toEqual([
    'frameworks.tar',
    'index.json',
    'install.tar',
    'store.tar',
  ]);
}, 60_000);

test('another project never sees it', async () => {
  await project('mine').deploy();
  expect((await project('yours').deploy()).ran).toBe('empty');
});

test.each<[string, Files, Record<string, string>]>([
  ['scripts of the repository’s own', { 'package.json': '{"scripts":{"postinstall":"x"}}' }, {}],
  ['a package taken from a folder', { 'package.json': '{"dependencies":{"a":"file:./a"}}' }, {}],
  ['an install command of the user’s own', {}, { INSTALLCOMMAND: 'npm ci && true' }],
  ['an install that writes elsewhere', {}, { INSTALLCOMMAND: 'npm ci', PATH: 'ELSEWHERE' }],
  [
    'a build that changes an installed file',
    {
      'build.sh': {
        script:
          'echo changed > node_modules/dep/stamp; mkdir out; cp node_modules/dep/stamp out/index.html; echo 1 > out/runs.txt',
      },
    },
    {},
  ],
  [
    'a build that removes an installed file',
    { 'build.sh': { script: 'rm node_modules/.bin/stamp; mkdir out; echo > out/index.html; echo 1 > out/runs.txt' } },
    {},
  ],
])('always installed: %s', async (name, files, env) => {
  const bin = join(world().dir, 'elsewhere');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `${NPM}\necho generated > generated.js\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  const more = env.PATH ? { ...env, PATH: `${bin}:${process.env.PATH}` } : env;
  const { deploy } = project(`run-${name.replace(/\W/g, '')}`.toLowerCase(), { ...FILES, ...files });
  await deploy(undefined, more);
  expect((await deploy(undefined, more)).ran).toBe('of lock 1');
});

test('a damaged or poisoned cache is dropped, and the build goes on without it', async () => {
  const { deploy } = project('broken');
  await deploy();
  const prefix = s3Keys.cache('broken');
  for (const key of await world().keys(prefix)) {
    if (!key.startsWith('install')) continue;
    const text = Buffer.from((await world().object(prefix + key)).text.replace('downloaded', 'poisoned__'));
    await world().s3.send(new PutObjectCommand({ Bucket: 'sites', Key: prefix + key, Body: text }));
  }
  const second = await deploy();
  expect(second.ran).toBe('of lock 1');
  expect(second.page).not.toContain('poisoned');
  expect(second.log).toContain('A cache of this project (install) could not be used and is dropped');
  expect((await deploy()).ran).toBeUndefined();

  await world().s3.send(
    new PutObjectCommand({
      Bucket: 'sites',
      Key: `${prefix}index.json`,
      Body: '{"v":1,"entries":{"install":{"roots":["../../etc"]}}}',
    }),
  );
  expect((await deploy()).ran).toBe('empty');
  expect((await deploy()).ran).toBeUndefined();
}, 60_000);

const root = process.platform === 'linux' && process.getuid?.() === 0;
(root ? test : test.skip)(`with a user of its own for the build${root ? '' : ' (needs root on Linux)'}`, async () => {
  const { deploy } = project('own-user');
  const env = { VEREN_BUILD_UID: '20002', VEREN_BUILD_GID: '20002' };
  await deploy(undefined, env);
  const second = await deploy(undefined, {
    ...env,
    BUILDCOMMAND: 'sh build.sh && stat -c "owner %u" node_modules/dep "$HOME/.cache" >&2',
  });
  expect(second.ran).toBeUndefined();
  expect(second.log.match(/owner 20002/g)).toHaveLength(2);
});
