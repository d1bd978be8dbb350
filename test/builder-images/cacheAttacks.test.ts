import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { s3Keys } from '../../contract/names.ts';
import { angular } from '../../lambdas/clone-worker/services/detector/frameworks/angular.ts';
import { nextjs } from '../../lambdas/clone-worker/services/detector/frameworks/nextjs.ts';
import { useWorld } from './bundle.ts';
import { commitAll, type Files, repository } from './harness.ts';

/**
 * A build that wants later builds of its project to publish something else than their commit says. Package managers are
 * stand-ins that do what matters here: npm checks what it finds by its hash, Yarn 1 takes it as it is.
 */
const world = useWorld();
const NPM = `#!/bin/sh
echo "npm was run"
store=$npm_config_cache/_cacache; mkdir -p $store/content-v2 $store/index-v5
rm -rf node_modules; mkdir -p node_modules/dep node_modules/other
echo "npm found: $(cat $store/content-v2/* $store/index-v5/* 2>/dev/null)"
echo good > node_modules/dep/index; echo good > node_modules/other/index; echo downloaded > $store/content-v2/1; echo asked > $store/index-v5/1
[ ! -e late.sh ] || setsid env -i /bin/sh late.sh >/dev/null 2>&1 &
exit 0
`;
const YARN = `#!/bin/sh
echo "yarn was run"
[ -e $YARN_CACHE_FOLDER/dep ] || { mkdir -p $YARN_CACHE_FOLDER; echo good > $YARN_CACHE_FOLDER/dep; }
grep -q hostile yarn.lock && echo POISONED > $YARN_CACHE_FOLDER/dep
rm -rf node_modules; mkdir -p node_modules/dep node_modules/other; cp $YARN_CACHE_FOLDER/dep node_modules/dep/index; echo good > node_modules/other/index
`;

beforeAll(() => {
  const program = (folder: string, name: string, text: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  program(join(world().dir, 'bin'), 'npm', NPM);
  program(join(world().dir, 'tools/yarn@1.22.22/node_modules/.bin'), 'yarn', YARN);
});

const BUILD = 'mkdir -p out; cat node_modules/dep/index node_modules/other/index > out/index.html';
const FILES: Files = {
  'package.json': '{"name":"x","version":"1.0.0"}',
  '.gitignore': 'node_modules\nout\n.next\n.angular\n',
};
const npm: Files = { ...FILES, 'package-lock.json': '1' };
const yarn: Files = { ...FILES, 'yarn.lock': '1' };

/** What plans of these frameworks say. */
const FRAMEWORKS = {
  COMPILED_FOLDERS: JSON.stringify([nextjs, angular].flatMap(({ compiledFolders = [] }) => compiledFolders)),
};

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const modes: [string, Record<string, string>][] = [['shared', {}]];
if (isRoot) modes.push(['own', { VEREN_BUILD_UID: '20004', VEREN_BUILD_GID: '20004' }]);

describe.each(modes)('user of the build: %s', (mode, user) => {
  function project(name: string, files: Files) {
    const projectId = `${name}-${mode}`;
    const folder = join(world().dir, 'repos', projectId);
    const { url, commit } = repository(folder, files);
    const manager = 'yarn.lock' in files ? 'yarn' : 'npm';
    return {
      projectId,
      commit: (changed: Files) => commitAll(folder, changed),
      async deploy(at = commit, attack = '', env: Record<string, string> = {}) {
        const built = await world().build(
          { projectId, url, commit: at },
          {
            PATH: `${join(world().dir, 'bin')}:${process.env.PATH}`,
            INSTALLCOMMAND: manager === 'yarn' ? 'yarn install --frozen-lockfile' : 'npm ci',
            BUILDCOMMAND: `${BUILD}\n${attack}`,
            OUTPUT_DIR: 'out',
            PACKAGE_MANAGER: manager === 'yarn' ? 'yarn@1.22.22' : 'npm',
            ...user,
            ...env,
          },
        );
        expect([built.code, built.log, built.output]).toEqual([0, expect.any(String), expect.any(String)]);
        const page = (await world().page(projectId, 'index.html')).text;
        return { ...built, page, ran: built.log.includes(`${manager} was run`) };
      },
    };
  }

  test.each<[string, string]>([
    [
      'renamed',
      'echo evil > t && mv t node_modules/dep/index; rm node_modules/other/index; echo new > node_modules/other/index',
    ],
    ['moved', 'rm -rf node_modules/dep && mv evil node_modules/dep && touch node_modules/.x'],
    [
      'set-back',
      'touch -r node_modules/dep/index t; echo evil > node_modules/dep/index; touch -r t node_modules/dep/index',
    ],
  ])(
    'an installed file that was changed by the build is in no later one: %s',
    async (name, attack) => {
      const { deploy, commit } = project(name, { ...npm, 'evil/index': 'POISONED\n' });
      await deploy(undefined, attack);
      const clean = await deploy(commit({ 'readme.md': 'clean' }));
      expect([clean.ran, clean.page]).toEqual([true, 'good\ngood\n']);
      // It heals: what that one has installed is kept.
      const healed = await deploy();
      expect([healed.ran, healed.page]).toEqual([false, 'good\ngood\n']);
    },
    120_000,
  );

  test('a daemon of the installation writes to nothing that is kept', async () => {
    const late = 'sleep 1; while :; do echo POISONED > node_modules/dep/index; sleep 0.05; done & sleep 20; kill $!';
    const { deploy, commit } = project('daemon', { ...npm, 'late.sh': late });
    await deploy(undefined, 'sleep 2');
    const clean = await deploy(commit({ 'late.sh': '' }));
    expect(clean.page).toBe('good\ngood\n');
  }, 120_000);

  test('downloads that the build has changed are used by no later one, nor those of another lockfile', async () => {
    const { deploy, commit } = project('yarn', yarn);
    await deploy(undefined, 'echo POISONED > $YARN_CACHE_FOLDER/dep; echo evil > node_modules/dep/index');
    const same = await deploy(commit({ 'readme.md': 'clean' }));
    expect([same.ran, same.page, same.log.includes('Downloads of')]).toEqual([true, 'good\ngood\n', false]);
    // An install script of a dependency, which writes to the store in the install phase itself.
    await deploy(commit({ 'yarn.lock': 'hostile' }));
    const other = await deploy(commit({ 'yarn.lock': '2' }));
    expect([other.ran, other.page, other.log.includes('Downloads of')]).toEqual([true, 'good\ngood\n', false]);
  }, 120_000);

  test('downloads of exactly the same installation are used, and the log says whose', async () => {
    const { deploy, commit } = project('same', { ...yarn, 'package.json': '{"scripts":{"postinstall":"x"}}' });
    const first = await deploy();
    const again = await deploy();
    expect(again.ran).toBe(true);
    expect(again.log).toContain(`Downloads of deployment ${first.id} (production) are at hand for the installation.`);
    // Its own scripts may read any file: another file is another installation.
    expect((await deploy(commit({ 'setup.js': '' }))).log).not.toContain('Downloads of');
  }, 120_000);

  test('of npm’s downloads only contents are kept, not what a registry is said to have answered', async () => {
    const { deploy, commit } = project('npm', npm);
    await deploy(
      undefined,
      'store=$npm_config_cache/_cacache; echo POISONED > $store/index-v5/2; echo POISONED > $store/content-v2/2',
    );
    const next = await deploy(commit({ 'package-lock.json': '2' }));
    expect([next.ran, /npm found: .*/.exec(next.log)?.[0]]).toEqual([true, 'npm found: downloaded']);
  }, 120_000);

  test('of the build tools’ folders only compiled code is kept, never what was fetched or stands in for a whole build', async () => {
    const compiled = [
      '.next/cache/webpack',
      '.next/cache/swc',
      '.angular/cache/20/app',
      'node_modules/.cache/babel-loader',
    ];
    const others = [
      '.next/cache/fetch-cache',
      '.next/cache/images',
      '.angular/cache/20/app/angular-build-fonts',
      '.parcel-cache',
      '.turbo/cache',
      '.nx/cache',
      '.cache',
      '.eleventy',
      '.nuxt/cache',
      '.nitro',
      '.svelte-kit',
      '.docusaurus',
      '.data',
      'node_modules/.astro',
      'node_modules/.cache/turbo',
      'node_modules/.cache/nx',
      'node_modules/.cache/nuxt/fonts',
      'node_modules/.cache/gatsby',
      'node_modules/.vite/task-cache',
    ];
    const look = `for f in ${[...compiled, ...others].join(' ')}; do [ ! -e $f/kept ] || echo "kept: $f"; mkdir -p $f; echo x > $f/kept; done`;
    const { deploy } = project('tools', npm);
    await deploy(undefined, look, FRAMEWORKS);
    const { log } = await deploy(undefined, look, FRAMEWORKS);
    expect([...log.matchAll(/^kept: (.*)$/gm)].map((match) => match[1])).toEqual(compiled);
  }, 120_000);

  test('a folder of the build tools’ that leads elsewhere is not kept', async () => {
    const { deploy, projectId } = project('link', npm);
    await deploy(
      undefined,
      'mkdir -p .next/cache; ln -s /etc .next/cache/webpack; mkdir x; ln -s /etc x/cache; ln -s x .angular',
      FRAMEWORKS,
    );
    const next = await deploy(undefined, 'ls -d .next/cache/webpack/passwd .angular/cache/passwd; true', FRAMEWORKS);
    expect(next.log).not.toMatch(/^\.(?:next|angular).*passwd$/m);
    expect((await world().keys(s3Keys.cache(projectId, 'production'))).length).toBeGreaterThan(2);
  }, 120_000);
});
