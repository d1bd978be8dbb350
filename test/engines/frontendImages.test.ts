import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, tooSlow } from '../support/engines.ts';
import { kafkaMissing } from '../support/kafka.ts';
import { FRONTEND_MAJORS, FrontendImagesWorld, imagesMissing, pinnedNode } from './frontendImagesWorld.ts';

/** A registry that is not there: what is used under it was in the image. */
const OFFLINE = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' };

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
      ['bun', 'bun', /^1\./],
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

  test('a real application: React with Vite, its dependencies from the registry', async () => {
    const repo = world.example('react-vite');
    const given = { INSTALLCOMMAND: 'npm ci', BUILDCOMMAND: 'npm run build', OUTPUT_DIR: 'dist' };
    const built = await world.build(20, repo, given);
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(await world.page(repo.projectId, 'index.html')).toMatch(/<script type="module".*src="\/assets\/index-/);
  }, 120_000);

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
