import { join } from 'node:path';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** Variables that change an installation, as people set them for the whole of a deployment. */
const platform = usePlatform();

test('NODE_ENV=production and its relatives: built with dev dependencies, and the build command sees them', async () => {
  const { path } = makeRepo(join(platform.folder, 'site'), {
    'package.json': JSON.stringify({
      private: true,
      scripts: { build: 'node build.cjs' },
      devDependencies: { 'left-pad': '1.3.0' },
    }),
    'build.cjs': `const pad = require('left-pad');
const { NODE_ENV, NODE_OPTIONS, VEREN_GIT_BRANCH, VEREN_GIT_REF, VEREN_GIT_URL } = process.env;
const seen = { padded: pad('x', 3), NODE_ENV, NODE_OPTIONS, VEREN_GIT_BRANCH, VEREN_GIT_REF, VEREN_GIT_URL };
require('fs').mkdirSync('dist');
require('fs').writeFileSync('dist/index.html', JSON.stringify(seen));`,
  });
  const env = {
    NODE_ENV: 'production',
    NPM_CONFIG_OMIT: 'dev',
    npm_config_production: 'true',
    YARN_PRODUCTION: 'true',
    NODE_OPTIONS: '--max-old-space-size=512',
  };
  const record = await platform.veren.deploy({
    projectId: 'site',
    gitUrl: `file://${path}`,
    frontend: { ...HOST_NODE },
    env,
  });
  expect([record.status, record.error, record.builds.frontend?.error]).toEqual(['succeeded', undefined, undefined]);
  const artifact = record.builds.frontend?.artifact as { url: string };
  expect(await (await fetch(artifact.url)).json()).toEqual({
    padded: '  x',
    NODE_ENV: 'production',
    NODE_OPTIONS: '--max-old-space-size=512',
    VEREN_GIT_BRANCH: 'main',
    VEREN_GIT_URL: `file://${path}`,
  });
  const log = (await platform.veren.logs(record.deploymentId)).map(({ line }) => line).join('\n');
  expect(log).toContain('with dev dependencies: NODE_ENV, NPM_CONFIG_OMIT, ');

  const again = await platform.veren.finished((await platform.veren.client.redeploy(record.deploymentId)).deploymentId);
  expect(again.status).toBe('succeeded');
  const second = again.builds.frontend?.artifact as { url: string };
  expect(await (await fetch(second.url)).json()).toMatchObject({ VEREN_GIT_BRANCH: 'main' });
}, 240_000);
