import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { builderObjects } from '../../builder-images/shared/objects.ts';
import type { FrontendEnv } from '../../contract/builder-env.ts';
import type { Lane } from '../../contract/lanes.ts';
import { s3Keys } from '../../contract/names.ts';
import { useWorld } from './bundle.ts';
import { commitAll, type Files, repository } from './harness.ts';

/** The caches over real builds, with an npm of ours that tells whether it was run and what it found. */
const world = useWorld();
const NPM = `#!/bin/sh
echo "npm was run, store: $(cat "$npm_config_cache/_cacache/content-v2/one" 2>/dev/null || echo empty)"
rm -rf node_modules; mkdir -p node_modules/dep node_modules/.bin "$npm_config_cache/_cacache/content-v2" "$HOME/.cache"
date +%s%N > node_modules/dep/stamp; ln -s ../dep/stamp node_modules/.bin/stamp
echo "of lock $(cat package-lock.json)" > "$npm_config_cache/_cacache/content-v2/one"
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
      'kept=node_modules/.cache/webpack; mkdir -p $kept; echo x >> $kept/runs; wc -l < $kept/runs > out/runs.txt',
    ].join('\n'),
  },
};

function project(name: string, files: Files = FILES) {
  const folder = join(world().dir, 'repos', name);
  const source = { projectId: name, ...repository(folder, files) };
  return {
    folder,
    source,
    async deploy(commit = source.commit, env: Record<string, string> = {}, lane: Lane = 'production') {
      const built = await world().build(
        { ...source, commit, lane },
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
  expect(second.log).toContain(
    `Restored what "npm ci" made of the same lockfile in deployment ${first.id} (production).`,
  );
  expect(second.log).toContain(
    `Compiled code of deployment ${first.id} (production) is at hand: node_modules/.cache/webpack`,
  );
  expect((await deploy()).runs).toBe('3');

  const changed = await deploy(commitAll(folder, { 'package-lock.json': '2' }));
  expect([changed.ran, changed.runs]).toEqual(['of lock 1', '1']); // only the store crosses lockfiles
  expect(changed.page).not.toBe(first.page);
  expect(changed.log).toContain(`Downloads of deployment ${first.id} (production) are at hand for the installation.`);
  const variables = await deploy(undefined, { BUILD_ENV: '{"FLAG":"1"}' });
  expect(variables.ran).toBe('of lock 2');
  const without = await deploy(undefined, { BUILD_ENV: '{"DISABLE_BUILD_CACHE":"1"}' });
  expect([without.ran, without.runs]).toEqual(['empty', '1']);
  expect(
    (await world().keys(s3Keys.cache('warm', 'production'))).map((key) => key.replace(/-[0-9a-f-]{36}/, '')),
  ).toEqual(['frameworks.tar', 'index.json', 'install.tar', 'store.tar']);
}, 60_000);

test('each lane has caches of its own, which the credentials of no other lane reach', async () => {
  const { deploy, source } = project('lanes');
  await deploy();
  const preview = await deploy(undefined, {}, 'preview');
  expect([preview.ran, preview.runs]).toEqual(['empty', '1']);
  expect((await deploy(undefined, {}, 'preview')).log).toContain(`in deployment ${preview.id} (preview).`);
  expect((await deploy(undefined, {}, 'untrusted')).ran).toBe('empty');
  // Told another lane than its credentials are for, a build has no cache and is a build all the same.
  const lying = await deploy(undefined, { LANE: 'production' }, 'untrusted');
  expect([lying.ran, lying.runs]).toEqual(['empty', '1']);
  const prefix = s3Keys.cache('lanes', 'production');
  const env = world().environment({ ...source, deploymentId: 'x', lane: 'preview' }) as never as FrontendEnv;
  const objects = builderObjects(env, world().s3Url);
  await expect(objects.get(`${prefix}index.json`)).rejects.toThrow(/denied/i);
  await expect(objects.putIf(`${prefix}index.json`, '{}', null)).rejects.toThrow(/denied/i);
  await expect(objects.list(prefix)).rejects.toThrow(/denied/i);
}, 60_000);

test('a deployment can drop the caches and builds without; the next one starts from what it has made', async () => {
  const { deploy } = project('dropped');
  const first = await deploy();
  const old = await world().keys(s3Keys.cache('dropped', 'production'));
  const second = await deploy(undefined, { BUILD_CACHE: 'drop' });
  expect([second.ran, second.runs]).toEqual(['empty', '1']);
  expect(second.log).toContain('The caches of this project (production) are dropped, as the deployment asks for.');
  const now = await world().keys(s3Keys.cache('dropped', 'production'));
  expect(now).toHaveLength(4);
  expect(now.filter((key) => old.includes(key))).toEqual(['index.json']);
  const third = await deploy();
  expect([third.ran, third.runs]).toEqual([undefined, '2']);
  expect(third.log).toContain(second.id);
  expect(third.log).not.toContain(first.id);
}, 60_000);

test('what an earlier version has kept is not looked at', async () => {
  await world().s3.send(
    new PutObjectCommand({
      Bucket: 'sites',
      Key: `${s3Keys.caches('former')}index.json`,
      Body: '{"v":1,"entries":{"store":{"key":"x","object":"y","sha256":"z","size":1,"roots":["cache/npm"]}}}',
    }),
  );
  const { deploy } = project('former');
  const first = await deploy();
  expect([first.ran, first.log.includes('dropped')]).toEqual(['empty', false]);
  expect((await deploy()).ran).toBeUndefined();
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
  const prefix = s3Keys.cache('broken', 'production');
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
