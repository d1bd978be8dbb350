import type { CreateDeployment } from '../../contract/api.ts';
import type { Files } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { missingServiceImages, useServices } from '../support/serviceImages.ts';

const json = (value: unknown) => JSON.stringify(value);
const SERVE = (body: string) =>
  `require('node:http').createServer((q, r) => r.end(String(${body}))).listen(process.env.PORT, process.env.HOST || 'localhost');\n`;

/** What users of such systems report of backends, each deployed by HTTP and started as a container. */
describeWith(tooSlow ?? missingServiceImages(), 'services as their users wrote them', () => {
  const services = useServices();
  const serve = (name: string, files: Files, backend: CreateDeployment['backend'] = {}) =>
    services.serve(name, files, { frontend: false, backend });

  test('Yarn’s Plug’n’Play: packages are found, programs of packages run, and the script knows its package', async () => {
    const { answer, log } = await serve('plugnplay', {
      'package.json': json({
        name: 'pnpapi',
        version: '1.2.3',
        private: true,
        packageManager: 'yarn@4.5.3',
        scripts: { start: 'semver 1.0.0 && node server.js' },
        dependencies: { ms: '2.1.3', semver: '7.6.3' },
      }),
      '.yarnrc.yml': 'enableTelemetry: false\n',
      'yarn.lock': YARN_LOCK,
      'server.js': `const ms = require('ms');\n${SERVE("JSON.stringify({ ms: ms('2 days'), env: process.env })")}`,
    });
    expect(log).not.toContain('Unknown env config');
    const { ms, env } = JSON.parse(answer);
    expect(ms).toBe(172_800_000);
    expect(env).toMatchObject({
      npm_package_name: 'pnpapi',
      npm_package_version: '1.2.3',
      npm_lifecycle_event: 'start',
      npm_config_user_agent: expect.stringMatching(/^yarn\/4\.5\.3 npm\/\? node\/v\d/),
      INIT_CWD: '/app',
      PROJECT_CWD: '/app',
    });
  }, 600_000);

  test('pnpm: a patch that lies elsewhere than in "patches"', async () => {
    const { answer } = await serve('patched', {
      'package.json': json({
        name: 'patched',
        packageManager: 'pnpm@9.15.4',
        scripts: { start: 'node server.js' },
        dependencies: { ms: '2.1.3' },
        pnpm: { patchedDependencies: { 'ms@2.1.3': 'tools/patches/ms.patch' } },
      }),
      'server.js': SERVE("require('fs').readFileSync(require.resolve('ms'), 'utf8').slice(0, 10)"),
      'tools/patches/ms.patch': PATCH,
      'pnpm-lock.yaml': PNPM_LOCK,
    });
    expect(answer).toBe('// patched');
  }, 600_000);

  test('settings that the install script of a dependency reads', async () => {
    const { answer, log } = await serve('shots', {
      'package.json': json({
        name: 'shots',
        scripts: { start: 'node server.js' },
        dependencies: { puppeteer: '24.15.0' },
      }),
      '.puppeteerrc.cjs': 'module.exports = { skipDownload: true };\n',
      'server.js': SERVE("'ok ' + require('puppeteer/package.json').version"),
    });
    expect(answer).toBe('ok 24.15.0');
    expect(log).toMatch(/Skipping downloading|skip|anew at every change/i);
  }, 600_000);

  test('a server that listens on localhost unless it is told otherwise', async () => {
    const { answer, service } = await serve('ssr', {
      'package.json': json({
        name: 'ssr',
        type: 'module',
        scripts: { build: 'astro build' },
        dependencies: { astro: '5.13.0', '@astrojs/node': '9.4.0' },
      }),
      'astro.config.mjs':
        "import { defineConfig } from 'astro/config';\nimport node from '@astrojs/node';\nexport default defineConfig({ output: 'server', adapter: node({ mode: 'standalone' }) });\n",
      'src/pages/index.astro': '---\nconst now = 2026;\n---\n<h1>year {now}</h1>\n',
    });
    expect(answer).toContain('year 2026');
    expect(service.url).toContain('127.0.0.2');
  }, 600_000);

  test('a program that is linked with a library of the build, OpenSSL and certificates, scripts around the start, a slow end', async () => {
    const { answer, log, service, stop } = await serve('linked', {
      'package.json': json({
        name: 'linked',
        version: '4.0.0',
        config: { color: 'green' },
        scripts: {
          postinstall: 'gcc -o tool tool.c $(ls /usr/lib/*-linux-gnu/libexpat.so.1)',
          prestart: 'echo "$npm_lifecycle_event" >/tmp/before',
          start: 'node server.js',
        },
      }),
      'package-lock.json': json({
        name: 'linked',
        version: '4.0.0',
        lockfileVersion: 3,
        packages: { '': { name: 'linked' } },
      }),
      '.npmrc': 'greeting=hello\n',
      '.env': 'FASTIFY_ADDRESS=10.0.0.1\n',
      'tool.c':
        'extern const char *XML_ExpatVersion(void);\nextern int puts(const char *);\nint main(void) { return puts(XML_ExpatVersion()) < 0; }\n',
      'server.js': `const { execFileSync } = require('node:child_process');
const run = (...argv) => { try { return execFileSync(argv[0], argv.slice(1), { encoding: 'utf8' }).trim(); } catch (e) { return String(e); } };
process.on('SIGTERM', () => setTimeout(() => { console.log('tidied up'); process.exit(0); }, 700));
${SERVE("JSON.stringify({ expat: run('./tool'), openssl: run('openssl', 'version'), certificates: require('node:fs').statSync('/etc/ssl/certs/ca-certificates.crt').size, before: run('cat', '/tmp/before'), env: process.env })")}`,
    });
    const said = JSON.parse(answer);
    expect(said).toMatchObject({
      expat: expect.stringMatching(/^expat_2\./),
      openssl: expect.stringMatching(/^OpenSSL [13]\./),
      before: 'prestart',
      env: {
        npm_package_name: 'linked',
        npm_package_version: '4.0.0',
        npm_package_config_color: 'green',
        npm_config_greeting: 'hello',
        npm_lifecycle_event: 'start',
        npm_lifecycle_script: 'node server.js',
        npm_command: 'start',
        npm_execpath: '/usr/local/lib/node_modules/npm/bin/npm-cli.js',
        npm_config_user_agent: expect.stringMatching(/^npm\/\d+\.\S+ node\/v\d+\.\S+ linux \w+ workspaces\/false$/),
        INIT_CWD: '/app',
        HOST: '0.0.0.0',
        NITRO_HOST: '0.0.0.0',
      },
    });
    expect(said.env.FASTIFY_ADDRESS).toBeUndefined();
    expect(said.certificates).toBeGreaterThan(100_000);
    expect(log).toContain('veren: libraries of the build that the service needs: libexpat.so.1');
    const stopped = await stop();
    expect(service.output()).toContain('tidied up');
    expect(stopped.ms).toBeGreaterThan(600);
    expect(stopped.ms).toBeLessThan(5_000);
  }, 600_000);

  test('a program of a workspace’s own package is linked at the installation and can be run in the build', async () => {
    const lock = {
      name: 'mono',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'mono', workspaces: ['apps/*', 'tools/*'] },
        'apps/api': { name: 'api', dependencies: { gen: '*' } },
        'tools/gen': { name: 'gen', bin: { gen: 'bin/gen.js' } },
        'node_modules/api': { resolved: 'apps/api', link: true },
        'node_modules/gen': { resolved: 'tools/gen', link: true },
      },
    };
    const files = {
      'package.json': json({ name: 'mono', private: true, workspaces: ['apps/*', 'tools/*'] }),
      'package-lock.json': json(lock),
      'apps/api/package.json': json({
        name: 'api',
        scripts: { build: 'gen >made.txt', start: 'node server.js' },
        dependencies: { gen: '*' },
      }),
      'apps/api/server.js': SERVE("require('node:fs').readFileSync('made.txt', 'utf8')"),
      'tools/gen/package.json': json({ name: 'gen', bin: { gen: 'bin/gen.js' } }),
      'tools/gen/bin/gen.js': "#!/usr/bin/env node\nconsole.log('made by gen');\n",
    };
    const { answer, log } = await serve('mono', files, { path: 'apps/api' });
    expect(answer).toBe('made by gen\n');
    expect(log).not.toContain('anew at every change');
  }, 600_000);

  test('a plain service keeps its installation while only its source changes', async () => {
    const dependency = { version: '2.1.3', integrity: MS };
    const lock = {
      name: 'plain',
      lockfileVersion: 3,
      packages: { '': { name: 'plain', dependencies: { ms: '2.1.3' } }, 'node_modules/ms': dependency },
    };
    const files = {
      'package.json': json({ name: 'plain', scripts: { start: 'node server.js' }, dependencies: { ms: '2.1.3' } }),
      'package-lock.json': json(lock),
      'server.js': SERVE("'first'"),
    };
    expect((await serve('plain', files)).answer).toBe('first');
    const second = await serve('plain', { ...files, 'server.js': SERVE("'second'") });
    expect(second.answer).toBe('second');
    expect(second.log).toContain('the layer of an earlier build is used');
  }, 600_000);
});

const MS = 'sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==';
const PATCH = `diff --git a/index.js b/index.js
index ea734fb7382b6bd42a8b4c5f7d7a2c9b5c9ff1f8..0000000000000000000000000000000000000001 100644
--- a/index.js
+++ b/index.js
@@ -1,3 +1,4 @@
+// patched
 /**
  * Helpers.
  */
`;
const PNPM_LOCK = `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

patchedDependencies:
  ms@2.1.3:
    hash: 5p5vodhfswyta56nghma2y4sgq
    path: tools/patches/ms.patch

importers:

  .:
    dependencies:
      ms:
        specifier: 2.1.3
        version: 2.1.3(patch_hash=5p5vodhfswyta56nghma2y4sgq)

packages:

  ms@2.1.3:
    resolution: {integrity: ${MS}}

snapshots:

  ms@2.1.3(patch_hash=5p5vodhfswyta56nghma2y4sgq): {}
`;
const YARN_LOCK = `# This file is generated by running "yarn install" inside your project.
# Manual changes might be lost - proceed with caution!

__metadata:
  version: 8
  cacheKey: 10c0

"ms@npm:2.1.3":
  version: 2.1.3
  resolution: "ms@npm:2.1.3"
  checksum: 10c0/d924b57e7312b3b63ad21fc5b3dc0af5e78d61a1fc7cfb5457edaf26326bf62be5307cc87ffb6862ef1c2b33b0233cdb5d4f01c4c958cc0d660948b65a287a48
  languageName: node
  linkType: hard

"pnpapi@workspace:.":
  version: 0.0.0-use.local
  resolution: "pnpapi@workspace:."
  dependencies:
    ms: "npm:2.1.3"
    semver: "npm:7.6.3"
  languageName: unknown
  linkType: soft

"semver@npm:7.6.3":
  version: 7.6.3
  resolution: "semver@npm:7.6.3"
  bin:
    semver: bin/semver.js
  checksum: 10c0/88f33e148b210c153873cb08cfe1e281d518aaa9a666d4d148add6560db5cd3c582f3a08ccb91f38d5f379ead256da9931234ed122057f40bb5766e65e58adaf
  languageName: node
  linkType: hard
`;
