import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeGitFolder } from '../../../../lambdas/shared/repo/gitFolder.ts';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { sweepGitFolders } from '../../../../lambdas/shared/repo/sweepGitFolders.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';

afterAll(removeFolders);

const ended = Number(execFileSync('/bin/sh', ['-c', 'echo $$']));

test('what killed processes have left goes; what others use or own stays', async () => {
  const folder = temporaryFolder();
  const make = (name: string) => {
    mkdirSync(join(folder, name, 'objects'), { recursive: true });
    writeFileSync(join(folder, name, 'objects', 'pack'), 'x');
    return join(folder, name);
  };
  make(`veren-git-${ended}-abcdef`);
  // The number of this process, from an earlier life: it has not made any yet.
  make(`veren-git-${process.pid}-abcdef`);
  make(`veren-git-${process.ppid}-abcdef`);
  const old = new Date(Date.now() - 25 * 60 * 60 * 1_000);
  utimesSync(make('veren-git-oldold'), old, old);
  make('veren-git-newnew');
  make(`veren-git-${ended}-abcdef-of-mine`);
  const target = make('kept');
  symlinkSync(target, join(folder, `veren-git-${ended}-ghijkl`));

  await sweepGitFolders(folder);
  expect(readdirSync(folder).sort()).toEqual(
    [
      'kept',
      `veren-git-${process.ppid}-abcdef`,
      `veren-git-${ended}-abcdef-of-mine`,
      `veren-git-${ended}-ghijkl`,
      'veren-git-newnew',
    ].sort(),
  );
  expect(readdirSync(target)).toEqual(['objects']);
});

test('folders are named so that they are found', async () => {
  const workDir = join(temporaryFolder(), 'not', 'there', 'yet');
  const { path } = await makeGitFolder(LAPTOP_POLICY, workDir);
  await sweepGitFolders(workDir);
  expect(readdirSync(workDir)).toEqual([]);
  expect(path.startsWith(join(workDir, `veren-git-${process.pid}-`))).toBe(true);
});

test('a folder that is not there is no fault', () => sweepGitFolders('/nonexistent/folder'));
