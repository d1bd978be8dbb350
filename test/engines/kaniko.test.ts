import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, git, ROOT } from '../builder-images/harness.ts';
import { describeWith } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

const FIXTURES = join(ROOT, 'test/fixtures/backends');

describeWith(missingKaniko(), 'Kaniko builds, pushes and the image runs', () => {
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
    return { url: `file://${folder}`, commit: commitAll(folder, {}) };
  }

  const services: [name: string, node: number, env: Record<string, string>][] = [
    ['express-npm', 20, {}],
    ['express-npm', 18, {}],
    [
      'typescript-pnpm',
      20,
      {
        INSTALLCOMMAND: 'pnpm install --frozen-lockfile',
        BUILDCOMMAND: 'pnpm run build',
        STARTCOMMAND: 'pnpm start',
        PACKAGE_MANAGER: 'pnpm@9.15.9',
      },
    ],
    [
      'fastify-yarn',
      20,
      { INSTALLCOMMAND: 'yarn install --frozen-lockfile', STARTCOMMAND: 'yarn start', PACKAGE_MANAGER: 'yarn@1.22.22' },
    ],
    ['workspace-npm', 20, { BACKEND_PATH: 'apps/api', BUILDCOMMAND: '(cd ../../packages/greeting && npm run build)' }],
  ];

  test.each(services)(
    '%s on Node %i',
    async (name, node, env) => {
      const built = await kaniko.build({
        ...fixture(name),
        projectId: name,
        env: { NODE_VERSION: String(node), ...env },
      });
      console.log(name, node, Math.round(built.ms), built.code, built.output, built.log.slice(-6000));
      expect(built.last).toMatchObject({
        type: 'build.succeeded',
        artifact: { kind: 'image', uri: kaniko.image(built.tag) },
      });
      const pulled = kaniko.pull(built.tag);
      console.log(JSON.stringify(pulled.config));
      const running = await kaniko.run(pulled);
      console.log(running.answer);
      expect(running.answer.status).toBe(200);
      const body = JSON.parse(running.answer.body);
      expect(body.node).toMatch(new RegExp(`^${node}\\.`));
      expect(body).toMatchObject({ uid: 1000, env: 'production' });
      const stopped = await kaniko.stop(running);
      expect(stopped.ms).toBeLessThan(2_000);
    },
    300_000,
  );
});
