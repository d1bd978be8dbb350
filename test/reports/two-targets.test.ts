import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeploymentView } from '../../contract/api.ts';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** No container engine of this machine answers, so that every backend fails, and soon. */
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere', CONTAINER_HOST: 'unix:///nowhere', STORAGE_DRIVER: 'none' };

/** A repository with both parts whose backend fails, on a laptop as a user has it. */
const platform = usePlatform(NO_ENGINE);
beforeAll(async () => {
  await mkdir(join(platform.folder, 'repos'));
});

function repository(name: string): string {
  const { path } = makeRepo(join(platform.folder, 'repos', name), {
    'web/index.html': `<h1>${name}</h1>`,
    'api/package.json': JSON.stringify({ name: 'api', version: '1.0.0', scripts: { start: 'node server.js' } }),
  });
  return pathToFileURL(path).href;
}
const frontend = { path: 'web' };
const backend = { path: 'api', ...HOST_NODE };

const pageOf = async (record: DeploymentView) => {
  const artifact = record.builds.frontend?.artifact;
  if (artifact?.kind !== 'static') throw new Error(`no site: ${JSON.stringify(record)}`);
  return (await fetch(artifact.url)).text();
};

it('the backend fails: the site stays as it was, and one field of the record says so', async () => {
  const before = await platform.veren.deploy({
    projectId: 'both',
    gitUrl: repository('first'),
    frontend,
    backend: false,
  });
  expect(before).toMatchObject({ status: 'succeeded', outcome: 'complete' });
  expect(await pageOf(before)).toBe('<h1>first</h1>');

  const record = await platform.veren.deploy({ projectId: 'both', gitUrl: repository('second'), frontend, backend });
  expect(record).toMatchObject({
    status: 'failed',
    outcome: 'none',
    builds: { frontend: { status: 'canceled', error: { code: 'OTHER_PART_FAILED' } }, backend: { status: 'failed' } },
  });
  expect(await pageOf(before)).toBe('<h1>first</h1>');
  const lines = (await platform.veren.logs(record.deploymentId)).map(({ line }) => line);
  expect(lines).toContainEqual(expect.stringContaining('Stored: the site is shown when the backend'));
}, 400_000);

it('independent: the site is live, the backend failed, and the same field says so', async () => {
  const record = await platform.veren.deploy({
    projectId: 'alone',
    gitUrl: repository('alone'),
    frontend,
    backend,
    publication: 'independent',
  });
  expect(record).toMatchObject({ status: 'failed', outcome: 'partial', builds: { backend: { status: 'failed' } } });
  expect(await pageOf(record)).toBe('<h1>alone</h1>');
}, 400_000);
