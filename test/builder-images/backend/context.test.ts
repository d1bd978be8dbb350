import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareContext } from '../../../builder-images/build-image-backend/utils/context.ts';
import { type BackendEnv, BackendEnvSchema } from '../../../contract/builder-env.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { ROOT, writeFiles } from '../harness.ts';

afterAll(removeFolders);

async function contextOf(over: Record<string, string>) {
  const work = temporaryFolder();
  writeFiles(join(work, 'source'), { 'package.json': '{"name":"s"}', 'package-lock.json': '{}', 'index.js': '' });
  mkdirSync(join(work, 'control'), { recursive: true });
  const env = BackendEnvSchema.parse({
    GIT_REPOSITORY__URL: 'https://git.example/s',
    GIT_COMMIT: 'c'.repeat(40),
    PROJECT_ID: 's',
    ATTEMPT: '1',
    NODE_VERSION: '20',
    BUCKET: 'b',
    AWS_REGION: 'r',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_SESSION_TOKEN: 't',
    KAFKA_BROKERS: 'k',
    ECR_URI: 'e',
    INSTALLCOMMAND: 'npm ci',
    STARTCOMMAND: 'node index.js',
    ...over,
  }) as BackendEnv;
  const context = await prepareContext({
    env,
    raw: {},
    work,
    templates: join(ROOT, 'builder-images/build-image-backend/dockerbackend'),
    secrets: { folder: join(work, 'control/secrets'), owner: null },
    say: () => undefined,
  });
  return { key: context.layersKey, build: readFileSync(join(context.folder, 'veren/build.command'), 'utf8') };
}

test('of two deployments of one commit the installation is the same, and the build command is not', async () => {
  const command = { BUILDCOMMAND: 'npm run build' };
  const first = await contextOf({ ...command, DEPLOYMENTID: 'd1' });
  const second = await contextOf({ ...command, DEPLOYMENTID: 'd2' });
  expect(first.key).toMatch(/^[0-9a-f]{64}$/);
  expect(second.key).toBe(first.key);
  expect(first.build.split('\n')[0]).toBe('npm run build');
  expect(second.build).not.toBe(first.build);
  // An empty file means that nothing is run.
  expect((await contextOf({ DEPLOYMENTID: 'd1' })).build).toBe('');
});
