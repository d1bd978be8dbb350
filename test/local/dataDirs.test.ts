import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireUnlocked } from '../../local/dataDirs.ts';
import { lockFile } from '../../local/lockFile.ts';
import { ROOT, temporaryFolder } from '../support/veren.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('a second start says who has the folder, before it loads the platform', async () => {
  const unlock = await lockFile(join(folder.path, 'lock'));
  if (typeof unlock === 'number') throw new Error('the folder is new');
  for (const command of ['start', 'demo']) {
    const args = ['--import', 'tsx', 'bin/local.ts', command, '--data', folder.path];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    // "Starting …" is said when it begins to load it.
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`DATA_FOLDER_LOCKED: The data folder ${folder.path} is in use by process ${process.pid}.`);
    expect(stderr).toContain('choose another folder with --data DIR');
  }
  await unlock();
}, 60_000);

test('a folder that is new, or whose process has ended, is free', async () => {
  await expect(requireUnlocked(folder.path)).resolves.toBeUndefined();
  const { pid } = spawnSync('true');
  writeFileSync(join(folder.path, 'lock'), JSON.stringify({ pid, started: '1' }));
  await expect(requireUnlocked(folder.path)).resolves.toBeUndefined();
});
