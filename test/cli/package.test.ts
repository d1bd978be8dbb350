import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, temporaryFolder } from '../support/veren.ts';

jest.setTimeout(180_000);

test('`npm pack` in cli/ gives a tarball without dependencies that `npx` runs, without a network', async () => {
  const folder = await temporaryFolder();
  try {
    const env = { PATH: process.env.PATH, HOME: folder.path };
    const npm = (args: string[], cwd: string) => spawnSync('npm', args, { cwd, env, encoding: 'utf8' });
    const packed = npm(['pack', '--json', '--pack-destination', folder.path], join(ROOT, 'cli'));
    expect({ status: packed.status, stderr: packed.status === 0 ? '' : packed.stderr }).toEqual({
      status: 0,
      stderr: '',
    });
    const [tarball] = readdirSync(folder.path).filter((name) => name.endsWith('.tgz'));
    expect(tarball).toBe('veren-0.1.0.tgz');
    const [{ files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('['))) as [{ files: { path: string }[] }];
    expect(files.map(({ path }) => path).toSorted()).toEqual([
      'README.md',
      'dist/LICENSES.txt',
      'dist/mcp.mjs',
      'dist/veren.mjs',
      'package.json',
    ]);
    const run = npm(['exec', '--yes', '--offline', `--package=./${tarball}`, '--', 'veren', '--version'], folder.path);
    expect({ status: run.status, stdout: run.stdout, stderr: run.status === 0 ? '' : run.stderr }).toEqual({
      ...{ status: 0, stdout: '0.1.0\n', stderr: '' },
    });
  } finally {
    await folder.remove();
  }
});
