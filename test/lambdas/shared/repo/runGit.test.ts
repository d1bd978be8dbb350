import { makeGitFolder, removeGitFolder } from '../../../../lambdas/shared/repo/gitFolder.ts';
import { PUBLIC_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { type GitFolder, runGit } from '../../../../lambdas/shared/repo/runGit.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';

afterAll(removeFolders);

const limits = { deadline: AbortSignal.timeout(25_000), maxPackBytes: 1e9 };
const shell = (folder: GitFolder, script: string) => runGit(folder, ['-c', `alias.x=!${script}`, 'x'], limits);

describe('a git process and its children', () => {
  let folder: GitFolder;
  beforeAll(async () => {
    folder = await makeGitFolder(PUBLIC_POLICY, temporaryFolder());
  });
  afterAll(() => removeGitFolder(folder));

  test('have limits on memory, files and time', async () => {
    const result = await shell(folder, 'ulimit -v; ulimit -f; ulimit -t; ulimit -c');
    expect(result).toMatchObject({
      kind: 'exit',
      // KiB, blocks of 512 bytes, seconds, core files.
      stdout: [256 * 1024, (2 * PUBLIC_POLICY.maxBytes) / 512, 30, 0].map((n) => `${n}\n`).join(''),
    });
  });

  test('see nothing of the environment but what git needs', async () => {
    process.env.SECRET_OF_THE_PLATFORM = 'x';
    try {
      expect(await shell(folder, 'env')).toMatchObject({
        stdout: expect.not.stringContaining('SECRET_OF_THE_PLATFORM'),
      });
    } finally {
      delete process.env.SECRET_OF_THE_PLATFORM;
    }
  });

  test('may say so much and no more', async () => {
    expect(await shell(folder, 'yes')).toEqual({ kind: 'stopped', by: 'bytes' });
  });
});
