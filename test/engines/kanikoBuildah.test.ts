import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buildBackend, folderOfPrograms } from '../builder-images/backend/harness.ts';
import { commitAll, git, ROOT } from '../builder-images/harness.ts';
import { describeWith, onPath, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

const buildah = onPath('buildah');
const missing = buildah === null ? 'buildah was not found on PATH' : missingKaniko();

/** The base images come from the registry that the Kaniko suites have. */
describeWith(tooSlow ?? missing, 'a laptop with buildah builds the same template', () => {
  let kaniko: KanikoWorld;
  let environment: Record<string, string>;
  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
    const folder = join(kaniko.dir, 'buildah');
    mkdirSync(folder);
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const mirror = `[[registry.mirror]]\nlocation = "${kaniko.registry}"\ninsecure = true\n`;
    environment = {
      // Only buildah of all container builders; in a mount namespace of its own, since it leaves mounts behind.
      PATH: [
        folderOfPrograms(join(folder, 'bin'), {
          buildah: `#!/bin/sh\nexec unshare --mount ${buildah} "$@"\n`,
          docker: '#!/bin/sh\nexit 1\n',
          podman: '#!/bin/sh\nexit 1\n',
        }),
        dirname(process.execPath),
        '/usr/bin',
        '/bin',
        '/usr/sbin',
        '/sbin',
      ].join(delimiter),
      CONTAINERS_REGISTRIES_CONF: file(
        'registries.conf',
        `unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n${mirror}`,
      ),
      CONTAINERS_STORAGE_CONF: file(
        'storage.conf',
        `[storage]\ndriver = "overlay"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/storage"\n`,
      ),
      BUILDAH_ISOLATION: 'chroot',
      ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
    };
  }, 60_000);
  afterAll(() => kaniko.close());

  test('an Express service becomes a local image, and a second attempt finds it', async () => {
    const folder = join(kaniko.world.dir, 'express');
    cpSync(join(ROOT, 'test/fixtures/backends/express-npm'), folder, { recursive: true });
    git(folder, 'init', '--quiet');
    const commit = commitAll(folder, {});
    const job = { url: `file://${folder}`, commit, projectId: 'express', deploymentId: 'd1' };
    const built = await buildBackend(kaniko.world, job, {
      ...environment,
      INSTALLCOMMAND: 'npm ci',
      NODE_VERSION: '20',
      BUILD_TIMEOUT: '400',
    });
    expect(`${built.output}\n${built.log}`).toContain('"artifact":"localhost/my-backend:express-d1@sha256:');
    expect(built.log).toContain('added 72 packages');
    const phases = built.events.flatMap((e) => (e.type === 'build.phase' ? [`${e.phase} ${e.state}`] : []));
    expect(phases).toEqual(['fetch', 'install', 'build', 'publish'].flatMap((p) => [`${p} started`, `${p} finished`]));
    const again = await buildBackend(kaniko.world, job, { ...environment, ATTEMPT: '2' });
    expect(again.log).toContain('An earlier attempt of this deployment has made the image already.');
    const artifacts = again.events.flatMap((e) => (e.type === 'build.succeeded' ? [e.artifact] : []));
    expect(artifacts).toHaveLength(2);
    expect(artifacts[1]).toEqual(artifacts[0]);

    const failing = commitAll(folder, {
      'package.json': JSON.stringify({ name: 's', scripts: { start: 'x', build: 'exit 4' } }),
    });
    const broken = await buildBackend(
      kaniko.world,
      { ...job, commit: failing, deploymentId: 'd2' },
      {
        ...environment,
        INSTALLCOMMAND: 'npm install',
        BUILDCOMMAND: 'npm run build',
        NODE_VERSION: '20',
        BUILD_TIMEOUT: '400',
      },
    );
    expect(broken.last).toMatchObject({ error: { code: 'BUILD_FAILED', exitCode: 4, phase: 'build' } });
  }, 400_000);
});
