import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';
import { eventually } from '../support/eventually.ts';
import { hostDouble, RIGHT_TOKEN, WEAK_TOKEN } from '../support/gitHosts/hostDouble.ts';
import { HOST_NODE, usePlatform } from '../support/veren.ts';

const platform = usePlatform();

const call = <T>(method: string, path: string, body?: object) => platform.veren.call<T>(method, path, body);

test('a deployment by the API of a connected project is told to its host: the status, or why the host refuses it', async () => {
  const { veren, folder } = platform;
  const source = join(folder, 'source');
  await mkdir(source);
  await writeFile(join(source, 'index.html'), 'hello');
  await writeFile(join(source, 'package.json'), JSON.stringify({ name: 'shop', private: true }));
  await writeFile(
    join(source, 'build.mjs'),
    "import { cpSync, mkdirSync } from 'node:fs';\nmkdirSync('dist');\ncpSync('index.html', 'dist/index.html');\n",
  );
  const { url: gitUrl, commit } = await makeRepositoryFromFolder(source, join(folder, 'ada/shop'));
  const double = await hostDouble('github', { repository: 'ada/shop' });
  try {
    const frontend = { ...HOST_NODE, installCommand: '', buildCommand: 'node build.mjs', outputDirectory: 'dist' };
    const connection = { host: 'github', repository: 'ada/shop', apiUrl: double.apiUrl };
    await call('PUT', '/projects/shop', { gitUrl, connection, frontend, backend: false });
    await call('PUT', '/projects/shop/git-token', { token: RIGHT_TOKEN });
    expect(await veren.deploy({ projectId: 'shop' })).toMatchObject({ status: 'succeeded', commit });
    const final = await eventually(() => double.shown(commit).find(({ state }) => state !== 'pending'));
    expect(final).toMatchObject({ state: 'success', context: 'veren/shop' });
    // Production follows the success within a moment.
    await eventually(async () => (await (await fetch(final.url!)).text()) === 'hello');
    expect(double.statuses.filter(({ state }) => state !== 'pending')).toHaveLength(1);

    await call('PUT', '/projects/shop/git-token', { token: WEAK_TOKEN });
    await veren.deploy({ projectId: 'shop', ref: 'main' });
    const project = await eventually(async () => {
      const found = await call<{ gitFault?: { code: string; message: string } }>('GET', '/projects/shop');
      return found.gitFault && found;
    });
    expect(project.gitFault).toMatchObject({ code: 'GIT_TOKEN_REFUSED' });
    expect(project.gitFault?.message).toContain('Store a token that may write commit statuses');
    const seen = [JSON.stringify(project), ...veren.logged, ...veren.said].join('\n');
    expect(seen).not.toContain(RIGHT_TOKEN);
    expect(seen).not.toContain(WEAK_TOKEN);
  } finally {
    await double.close();
  }
}, 180_000);
