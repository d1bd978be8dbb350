import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, git, ROOT } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

const FIXTURES = join(ROOT, 'test/fixtures/backends');
/** What the detection finds for each of them. */
const PNPM = {
  INSTALLCOMMAND: 'pnpm install --frozen-lockfile',
  BUILDCOMMAND: 'pnpm run build',
  STARTCOMMAND: 'pnpm start',
  PACKAGE_MANAGER: 'pnpm@9.15.9',
};
const YARN = {
  INSTALLCOMMAND: 'yarn install --frozen-lockfile',
  STARTCOMMAND: 'yarn start',
  PACKAGE_MANAGER: 'yarn@1.22.22',
};
const BUN = {
  INSTALLCOMMAND: 'bun install --frozen-lockfile',
  STARTCOMMAND: 'bun start',
  PACKAGE_MANAGER: 'bun@1.4.5',
};
/** Names that scripts like to have: none of the user's may change what becomes of a step. */
const NAMES = {
  step: 'prune',
  home: '/nowhere',
  scratch: '/app',
  spec: '',
  service: 'x',
  shared: 'no',
  code: '0',
  uid: '0',
};
const WORKSPACE = { BACKEND_PATH: 'apps/api', BUILDCOMMAND: '(cd ../../packages/greeting && npm run build)' };

describeWith(tooSlow ?? missingKaniko(), 'Kaniko builds and pushes a service, and its image runs', () => {
  let kaniko: KanikoWorld;
  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());

  /** A fixture as a git repository. */
  function fixture(name: string) {
    const folder = join(kaniko.world.dir, name);
    rmSync(folder, { recursive: true, force: true });
    cpSync(join(FIXTURES, name), folder, { recursive: true });
    git(folder, 'init', '--quiet');
    return { folder, url: `file://${folder}`, commit: commitAll(folder, {}) };
  }

  const services: [name: string, node: number, env: Record<string, string>, gone: string | null][] = [
    ['express-npm', 20, {}, 'left-pad'],
    ['express-npm', 18, {}, 'left-pad'],
    ['express-npm', 24, {}, 'left-pad'],
    ['typescript-pnpm', 20, PNPM, 'typescript'],
    ['fastify-yarn', 20, YARN, null],
    ['workspace-npm', 20, WORKSPACE, null],
    ['hono-bun', 22, BUN, null],
  ];

  test.each(services)(
    '%s on Node %i',
    async (name, node, env, gone) => {
      const repo = fixture(name);
      const secret = 'a-secret-of-the-user-5c1d';
      const given = { NODE_VERSION: String(node), BUILD_ENV: JSON.stringify({ NPM_TOKEN: secret, ...NAMES }), ...env };
      const built = await kaniko.build({ ...repo, projectId: name, env: given });
      expect(built.last).toMatchObject({
        type: 'build.succeeded',
        artifact: { kind: 'image', uri: `${kaniko.registry}/my-backend:${name}-${built.id}` },
      });
      expect(built.code).toBe(0);
      expect(built.log).not.toContain('Unknown env config');
      const phases = built.events.flatMap((e) => (e.type === 'build.phase' ? [`${e.phase} ${e.state}`] : []));
      expect(phases).toEqual(
        ['fetch', 'install', 'build', 'publish'].flatMap((p) => [`${p} started`, `${p} finished`]),
      );

      const { artifact } = built.last as { artifact: { digest: string; bytes: number } };
      expect(kaniko.crane('digest', '--insecure', kaniko.image(built.tag))).toBe(artifact.digest);
      const pulled = kaniko.pull(built.tag);
      expect(pulled.config.Labels).toMatchObject({
        'org.opencontainers.image.source': built.env.GIT_REPOSITORY__URL,
        'org.opencontainers.image.revision': repo.commit,
        'dev.veren.deployment': built.id,
      });
      // Slim images have neither; the stand-in's package is not installed there.
      for (const file of ['usr/bin/openssl', 'etc/ssl/certs/ca-certificates.crt', 'opt/veren/tools/environment'])
        expect([file, existsSync(join(pulled.root, file))]).toEqual([file, true]);
      if (gone) expect(existsSync(join(pulled.root, 'app/node_modules', gone))).toBe(false);
      expect(kaniko.crane('config', '--insecure', kaniko.image(built.tag))).not.toContain(secret);
      const found = execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$0" || true', pulled.root, secret], {
        encoding: 'utf8',
      });
      expect(found).toBe('');

      const running = await kaniko.run(pulled);
      expect(running.answer.status).toBe(200);
      const body = JSON.parse(running.answer.body);
      expect(body).toMatchObject({
        uid: 1000,
        env: 'production',
        ...(name.startsWith('workspace') && { greeting: 'Hello, workspace' }),
      });
      expect(body.node).toMatch(new RegExp(`^${node}\\.`));
      expect(body.pid).not.toBe(1);
      const stopped = await kaniko.stop(running);
      expect(stopped.ms).toBeLessThan(8_000);
      rmSync(pulled.root, { recursive: true, force: true });
    },
    300_000,
  );

  test('the same commit once more: the installation is another deployment’s, the build step is done again', async () => {
    const { url, commit } = fixture('express-npm');
    const env = { BUILDCOMMAND: 'echo "built at $(date +%s%N)"' };
    const deploy = () => kaniko.build({ url, commit, projectId: 'same-commit', env });
    const [first, second] = [await deploy(), await deploy()];
    for (const { last, log } of [first, second]) {
      expect(last).toMatchObject({ type: 'build.succeeded' });
      expect(log).toMatch(/^built at \d+$/m);
    }
    expect(second.log).not.toContain('added 72 packages');
    expect(second.log).toContain(`Layers of deployment ${first.id} (production) are at hand.`);
  }, 300_000);

  test('with an unchanged lockfile the installation of another task is used, by S3, and the new source is in the image', async () => {
    const { folder, url, commit } = fixture('express-npm');
    const first = await kaniko.build({ url, commit, projectId: 'again' });
    expect(first.log).toContain('added 72 packages');
    const archives = () => kaniko.world.keys('__cache/again/production/layers-');
    const [archive] = await archives();
    const changed = commitAll(folder, { 'new-file.txt': 'new' });
    const second = await kaniko.build({ url, commit: changed, projectId: 'again' });
    expect(second.last).toMatchObject({ type: 'build.succeeded' });
    expect(second.log).toContain('the layer of an earlier build is used');
    expect(second.log).not.toContain('added 72 packages');
    expect(await archives()).toEqual([archive]);
    const pulled = kaniko.pull(second.tag);
    expect(existsSync(join(pulled.root, 'app/new-file.txt'))).toBe(true);
    expect(existsSync(join(pulled.root, 'app/node_modules/express'))).toBe(true);
    // Another value of the user's variables: what was installed with the old one is not taken.
    const third = await kaniko.build({ url, commit: changed, projectId: 'again', env: { BUILD_ENV: '{"A":"b"}' } });
    expect(third.log).toContain('added 72 packages');
    expect(await archives()).toEqual([expect.not.stringMatching(archive!)]);
  }, 300_000);
});
