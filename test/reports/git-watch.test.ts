import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeploymentView } from '../../contract/api.ts';
import { eventually } from '../support/eventually.ts';
import { git } from '../support/gitServer.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

const platform = usePlatform();
const call = <T>(method: string, path: string, body?: object) => platform.veren.call<T>(method, path, body);

const BUILD =
  "import { cpSync, mkdirSync } from 'node:fs';\nmkdirSync('dist');\ncpSync('index.html', 'dist/index.html');\n";

async function deploymentOf(commit: string): Promise<DeploymentView> {
  const found = await eventually(
    async () =>
      (await call<{ items: DeploymentView[] }>('GET', '/deployments?projectId=shop')).items.find(
        (one) => one.commit === commit,
      ),
    { withinMs: 60_000 },
  );
  return platform.veren.finished(found.deploymentId);
}

test('a folder’s repository without any webhook: commits deploy, branches are previews, a restart goes on where it was', async () => {
  const work = join(platform.folder, 'shop');
  mkdirSync(work);
  git(work, ['init', '-q', '-b', 'main']);
  const commit = (text: string, message = text) => {
    writeFileSync(join(work, 'index.html'), text);
    writeFileSync(join(work, 'build.mjs'), BUILD);
    writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'shop', private: true }));
    git(work, ['add', '-A']);
    git(work, ['commit', '-q', '-m', message]);
    return git(work, ['rev-parse', 'HEAD']);
  };
  const first = commit('one');
  await call('PUT', '/projects/shop', {
    gitUrl: pathToFileURL(work).href,
    productionBranch: 'main',
    connection: { host: 'git', repository: 'shop', watch: true },
    frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' },
    backend: false,
  });
  expect(await deploymentOf(first)).toMatchObject({ status: 'succeeded', environment: 'production' });

  const skipped = commit('two', 'wording [skip ci]');
  git(work, ['checkout', '-q', '-b', 'topic']);
  const topic = commit('three');
  const preview = await deploymentOf(topic);
  expect(preview).toMatchObject({ status: 'succeeded', environment: 'preview', trigger: { kind: 'push' } });

  await platform.restart();
  git(work, ['checkout', '-q', 'main']);
  git(work, ['branch', '-q', '-D', 'topic']);
  const last = commit('four');
  expect(await deploymentOf(last)).toMatchObject({ status: 'succeeded', environment: 'production' });
  const gone = async () => (await call<DeploymentView>('GET', `/deployments/${preview.deploymentId}`)).expired;
  await eventually(gone, { withinMs: 240_000 });
  const { items } = await call<{ items: DeploymentView[] }>('GET', '/deployments?projectId=shop');
  expect(items.map((one) => one.commit)).toEqual([last, topic, first]);
  expect(items.map((one) => one.commit)).not.toContain(skipped);
}, 420_000);
