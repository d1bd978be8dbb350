import { join } from 'node:path';
import { makeRepo } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

/** The npm that a repository pins, and a lockfile that does not fit package.json. Packages come from the npm registry. */
const platform = usePlatform();

async function deploy(name: string, files: Record<string, string>) {
  const { path } = makeRepo(join(platform.folder, name), files);
  const record = await platform.veren.deploy({ projectId: name, gitUrl: `file://${path}`, frontend: { ...HOST_NODE } });
  const build = record.builds.frontend;
  const page = build?.artifact?.kind === 'static' ? await (await fetch(build.artifact.url)).text() : null;
  return { record, build, page };
}
const NPM_VERSION = { build: 'mkdir -p dist && npm -v > dist/index.html' };
const manifest = (more: object) => JSON.stringify({ name: 'x', private: true, scripts: NPM_VERSION, ...more });

test('packageManager, with and without a hash, and engines that leave the bundled npm out', async () => {
  const pinned = await deploy('pinned', { 'package.json': manifest({ packageManager: 'npm@9.9.4' }) });
  expect([pinned.build?.error, pinned.page?.trim()]).toEqual([undefined, '9.9.4']);
  expect(pinned.record.plan?.frontend?.packageManager).toEqual({ name: 'npm', version: '9.9.4' });
  const hashed = await deploy('hashed', {
    'package.json': manifest({ packageManager: 'npm@9.9.4+sha512.0123456789abcdef' }),
  });
  expect(hashed.page?.trim()).toBe('9.9.4');
  const engines = await deploy('engines', { 'package.json': manifest({ engines: { npm: '^9.9.0' } }) });
  expect(engines.page?.trim()).toMatch(/^9\.9\./);
  expect(engines.record.plan?.frontend?.evidence).toContainEqual(
    expect.objectContaining({ field: 'packageManager.version', rule: 'engines.npm' }),
  );
}, 240_000);

test('a lockfile out of step: an error of its own, whose lines hold the reason', async () => {
  const lock = {
    name: 'x',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'x', dependencies: { 'left-pad': '1.3.0' } },
      'node_modules/left-pad': { version: '1.3.0' },
    },
  };
  const { build } = await deploy('outofsync', {
    'package.json': manifest({ dependencies: { 'left-pad': '1.3.0', 'is-odd': '3.0.1' } }),
    'package-lock.json': JSON.stringify(lock),
  });
  expect(build?.error).toMatchObject({
    code: 'LOCKFILE_OUT_OF_STEP',
    phase: 'install',
    message: expect.stringContaining('Missing: is-odd@3.0.1 from lock file'),
  });
  expect(build?.error?.lastLines).toContain('npm error Missing: is-odd@3.0.1 from lock file');
}, 120_000);
