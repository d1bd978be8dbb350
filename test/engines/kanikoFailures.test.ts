import { join } from 'node:path';
import { systemClock } from '../../lambdas/shared/clock.ts';
import { forbidPublication } from '../../lambdas/shared/verdict.ts';
import { BUCKET, type Files, repository } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

const SERVER = 'require("http").createServer((q, r) => r.end("hi")).listen(process.env.PORT)';
const lock = (name: string, dependencies?: Record<string, string>) =>
  JSON.stringify({ name, lockfileVersion: 3, requires: true, packages: { '': { name, dependencies } } });
const service = (scripts: Record<string, string> = {}, dependencies?: Record<string, string>): Files => ({
  'package.json': JSON.stringify({ name: 's', scripts: { start: 'node server.js', ...scripts }, dependencies }),
  'package-lock.json': lock('s'),
  'server.js': SERVER,
});

describeWith(tooSlow ?? missingKaniko(), 'an image build that fails says why', () => {
  let kaniko: KanikoWorld;
  let count = 0;
  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());

  const build = (files: Files, options: Partial<Parameters<KanikoWorld['build']>[0]> = {}) =>
    kaniko.build({
      ...repository(join(kaniko.world.dir, `service-${++count}`), files),
      projectId: 'failing',
      ...options,
    });
  const phases = (built: Awaited<ReturnType<typeof build>>) =>
    built.events.flatMap((e) => (e.type === 'build.phase' && e.state === 'finished' ? [`${e.phase} ${e.ok}`] : []));

  test('npm ci with a lockfile that does not fit', async () => {
    const built = await build(service({}, { express: '4.21.2' }));
    expect(built.code).toBe(45);
    expect(built.last).toMatchObject({ error: { code: 'LOCKFILE_OUT_OF_STEP', phase: 'install', exitCode: 1 } });
    expect(built.last).toMatchObject({
      error: { lastLines: expect.arrayContaining([expect.stringContaining('npm ci')]) },
    });
    expect(phases(built)).toEqual(['fetch true', 'install false']);
  }, 200_000);

  test('a build command', async () => {
    const built = await build(service({ build: 'echo compiling; exit 3' }), { env: { BUILDCOMMAND: 'npm run build' } });
    expect(built.last).toMatchObject({ error: { code: 'BUILD_FAILED', phase: 'build', exitCode: 3 } });
    expect(built.last).toMatchObject({ error: { lastLines: expect.arrayContaining(['compiling']) } });
    expect(phases(built)).toEqual(['fetch true', 'install true', 'build false']);
  }, 200_000);

  test('a start script that is not there', async () => {
    const files = { ...service(), 'package.json': JSON.stringify({ name: 's', scripts: { build: 'tsc' } }) };
    const built = await build(files);
    expect(built.code).toBe(35);
    expect(built.last).toMatchObject({
      error: { code: 'START_COMMAND_MISSING', message: expect.stringContaining('"start"') },
    });
  }, 60_000);

  test('a native module that needs a system library', async () => {
    const built = await build(service({ postinstall: 'pkg-config --libs cairo' }));
    expect(built.code).toBe(36);
    expect(built.last).toMatchObject({
      error: {
        code: 'SYSTEM_LIBRARY_MISSING',
        phase: 'install',
        message: expect.stringContaining('the library cairo'),
      },
    });
  }, 200_000);

  test('a registry for the image that cannot be reached: at once', async () => {
    const built = await build(service(), { env: { ECR_URI: '127.0.0.1:9/my-backend' } });
    expect(built.last).toMatchObject({
      error: { code: 'PUBLISH_FAILED', message: expect.stringContaining('127.0.0.1:9 cannot be reached') },
    });
    expect(phases(built)).toEqual([]);
  }, 60_000);

  test('a registry for the base image that cannot be reached', async () => {
    const built = await build(service(), { env: { VEREN_REGISTRY_MIRRORS: '127.0.0.1:9' } });
    expect(built.last).toMatchObject({ error: { code: 'BASE_IMAGE_UNAVAILABLE', phase: 'install' } });
  }, 200_000);

  test('a full disk', async () => {
    const built = await build(service(), { disk: '200m' });
    expect(built.code).toBe(37);
    expect(built.last).toMatchObject({ error: { code: 'BUILD_DISK_FULL', phase: 'install' } });
  }, 200_000);

  test('a tag that another image has, before anything is built', async () => {
    const base = `${kaniko.registry}/library/node:20-bullseye-slim`;
    kaniko.crane('copy', '--insecure', base, kaniko.image('failing-taken'));
    const built = await build(service(), { deploymentId: 'taken' });
    expect(built.code).toBe(32);
    expect(built.last).toMatchObject({
      error: { code: 'IMAGE_TAG_EXISTS', message: expect.stringContaining('failing-taken') },
    });
    expect(phases(built)).toEqual([]);
  }, 60_000);

  test('a time limit, in the middle of a step', async () => {
    const built = await build(service({ build: 'echo begun; sleep 600' }), {
      env: { BUILDCOMMAND: 'npm run build', BUILD_TIMEOUT: '45' },
    });
    expect(built.last).toMatchObject({ error: { code: 'BUILD_TIMEOUT' } });
    expect(built.ms).toBeLessThan(120_000);
  }, 200_000);

  test('a second attempt finds the image of the first, and does not build again; a canceled one pushes none', async () => {
    const repo = repository(join(kaniko.world.dir, 'twice'), service());
    const first = await kaniko.build({ ...repo, projectId: 'twice', deploymentId: 'd1' });
    expect(first.last).toMatchObject({ type: 'build.succeeded' });
    const second = await kaniko.build({ ...repo, projectId: 'twice', deploymentId: 'd1', env: { ATTEMPT: '2' } });
    const artifacts = second.events.flatMap((e) => (e.type === 'build.succeeded' ? [e.artifact] : []));
    expect(artifacts).toHaveLength(2);
    expect(artifacts[1]).toEqual(artifacts[0]);
    expect(second.log).toContain('An earlier attempt of this deployment has made the image already.');

    // Of another deployment that is canceled while it is built, no tag ever comes into being.
    const { s3 } = kaniko.world;
    await forbidPublication({ s3, bucket: BUCKET, clock: systemClock })({
      projectId: 'twice',
      deploymentId: 'd2',
      target: 'backend',
    });
    const canceled = await kaniko.build({ ...repo, projectId: 'twice', deploymentId: 'd2' });
    expect(canceled.code).toBe(41);
    expect(canceled.last).toMatchObject({ error: { code: 'DEPLOYMENT_CANCELED', phase: 'publish' } });
    expect(kaniko.crane('ls', '--insecure', `${kaniko.registry}/my-backend`).split('\n')).toEqual(
      expect.not.arrayContaining(['twice-d2']),
    );
  }, 300_000);
});
