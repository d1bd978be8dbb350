import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleBuilder } from '../../../builder-images/bundle.ts';
import { systemClock } from '../../../lambdas/shared/clock.ts';
import { forbidPublication } from '../../../lambdas/shared/verdict.ts';
import { BUCKET, deploymentId, repository, World } from '../harness.ts';
import { buildBackend, folderOfPrograms } from './harness.ts';

/** What main.sh and git need, and no container builder: this machine may have one. */
const SYSTEM = ['bash', 'sh', 'env', 'git', 'mkdir', 'mktemp', 'chmod', 'mkfifo', 'date', 'id', 'rm', 'cat', 'dirname'];

let world: World;
let folder: string;
let system: string;
let repo: { url: string; commit: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veren-laptop-'));
  const bundle = join(folder, 'backend.mjs');
  await bundleBuilder('backend', bundle);
  world = await new World(bundle).start();
  const links = Object.fromEntries(SYSTEM.map((name) => [name, `#!/bin/bash\nexec /usr/bin/${name} "$@"\n`]));
  system = folderOfPrograms(join(folder, 'system'), { ...links, bash: '#!/bin/sh\nexec /bin/bash "$@"\n' });
  repo = repository(join(world.dir, 'service'), {
    'package.json': JSON.stringify({ name: 's', scripts: { start: 'node server.js' } }),
    'server.js': '',
  });
}, 60_000);
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

test('without a container builder the build fails at once and says what to install', async () => {
  const built = await buildBackend(world, repo, { PATH: system });
  expect(built.code).toBe(33);
  expect(built.last).toMatchObject({
    type: 'build.failed',
    target: 'backend',
    error: { code: 'NO_CONTAINER_BUILDER' },
  });
  expect(built.last).toMatchObject({ error: { message: expect.stringContaining('docker, podman or buildah') } });
  expect(built.ms).toBeLessThan(20_000);
});

test('a docker without its daemon is no container builder, and the sentence says so', async () => {
  const programs = folderOfPrograms(join(folder, 'dead'), { docker: '#!/bin/sh\necho "no daemon" >&2\nexit 1\n' });
  const built = await buildBackend(world, repo, { PATH: `${programs}:${system}` });
  expect(built.last).toMatchObject({ error: { code: 'NO_CONTAINER_BUILDER' } });
  expect(built.last).toMatchObject({
    error: { message: expect.stringContaining('docker is installed but does not answer') },
  });
});

test('a service that nothing starts fails before anything is fetched or built', async () => {
  const programs = folderOfPrograms(join(folder, 'unused'), {
    docker: '#!/bin/sh\n[ "$1" = version ] || { echo "must not be run" >&2; exit 9; }\n',
  });
  const built = await buildBackend(world, repo, { PATH: `${programs}:${system}`, STARTCOMMAND: '' });
  expect(built.last).toMatchObject({ error: { code: 'START_COMMAND_MISSING' } });
  expect(built.events.map((event) => event.type)).toEqual(['build.failed']);
});

test('docker: template, commands, variables and labels reach it; its image is the artifact', async () => {
  const seen = join(folder, 'seen');
  const programs = folderOfPrograms(join(folder, 'docker'), {
    docker: `#!/bin/bash
case "$1" in
  version) echo 28 ;;
  image) [ -e ${seen}.tagged ] && echo '{"Id":"sha256:${'a'.repeat(64)}","Size":1234,"Config":{"Labels":{}}}' ;;
  tag) echo "$2 $3" >${seen}.tagged ;;
  rmi) echo "$2" >${seen}.untagged ;;
  build)
    printf '%s\\n' "$@" >${seen}
    context=\${@: -1}
    cat "$context/Dockerfile" >${seen}.dockerfile
    for a in "$@"; do case $a in id=variables,src=*) cat "\${a#*src=}" >${seen}.variables ;; esac; done
    env >${seen}.env
    echo '#5 [build 6/12] RUN --mount=type=secret,id=variables /opt/veren/run install' >&2
    echo '#5 0.050 veren: step install begins' >&2
    echo '#5 0.100 installing with s3cret-value' >&2
    echo '#6 [build 7/12] COPY veren/build.command veren/prune.command /opt/veren/' >&2
    echo '#6 0.200 building' >&2 ;;
esac
`,
  });
  const built = await buildBackend(world, repo, {
    PATH: `${programs}:${system}`,
    INSTALLCOMMAND: 'npm ci',
    BUILD_ENV: JSON.stringify({ API_KEY: 's3cret-value' }),
    DOCKER_HOST: 'unix:///somewhere.sock',
  });
  expect(built.output).toContain('The build was published');
  expect(built.last).toMatchObject({
    type: 'build.succeeded',
    artifact: {
      kind: 'image',
      uri: `localhost/my-backend:service-${built.id}`,
      digest: `sha256:${'a'.repeat(64)}`,
      bytes: 1234,
    },
  });
  const phases = built.events.flatMap((e) => (e.type === 'build.phase' ? [`${e.phase} ${e.state}`] : []));
  expect(phases).toEqual(['fetch', 'install', 'build', 'publish'].flatMap((p) => [`${p} started`, `${p} finished`]));
  const args = readFileSync(seen, 'utf8');
  expect(args).toContain(`dev.veren.deployment=${built.id}`);
  expect(args).toContain(`org.opencontainers.image.revision=${repo.commit}`);
  expect(readFileSync(`${seen}.dockerfile`, 'utf8')).toMatch(/^CMD \["node","server.js"\]$/m);
  expect(readFileSync(`${seen}.variables`, 'utf8')).toContain("export API_KEY='s3cret-value'");
  const environment = readFileSync(`${seen}.env`, 'utf8');
  expect(environment).toContain('DOCKER_HOST=unix:///somewhere.sock');
  expect(environment).not.toMatch(/AWS_|s3cret|KAFKA/);
  expect(args).not.toContain('s3cret');
  expect(built.log).toContain('installing with ***');
  const [unpublished, published] = ['.unpublished', ''].map((end) => `localhost/my-backend:service-${built.id}${end}`);
  expect(args).toContain(`--tag\n${unpublished}\n`);
  expect(readFileSync(`${seen}.tagged`, 'utf8')).toBe(`${unpublished} ${published}\n`);
  expect(readFileSync(`${seen}.untagged`, 'utf8')).toBe(`${unpublished}\n`);
});

test('docker: an image whose deployment was canceled while it was built never gets its name', async () => {
  const seen = join(folder, 'canceled');
  const programs = folderOfPrograms(join(folder, 'docker-canceled'), {
    docker: `#!/bin/bash
case "$1" in
  version) echo 28 ;;
  image) exit 1 ;;
  *) echo "$1" >>${seen} ;;
esac
`,
  });
  const id = deploymentId();
  const forbid = forbidPublication({ s3: world.s3, bucket: BUCKET, clock: systemClock });
  expect(await forbid({ projectId: 'service', deploymentId: id, target: 'backend' })).toBe('cancel');
  const built = await buildBackend(world, { ...repo, deploymentId: id }, { PATH: `${programs}:${system}` });
  expect(built.code).toBe(41);
  expect(built.last).toMatchObject({ type: 'build.failed', error: { code: 'DEPLOYMENT_CANCELED' } });
  expect(readFileSync(seen, 'utf8')).toBe('build\nrmi\n');
});
