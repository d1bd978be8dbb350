import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';
import { runGit } from './runGit.ts';

/**
 * What git ignores in a folder and below it, by `.git/info/exclude` and core.excludesFile too; folders end with a slash and
 * are not gone into, `./` is the folder itself. Null where git is missing or refuses. Source: git-ls-files(1).
 */
export async function listIgnored(shell: Pick<Shell, 'env'>, folder: string): Promise<readonly string[] | null> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const text = await runGit(shell, folder, args).catch((error: unknown) => {
    if (error instanceof VerenError && error.code === 'GIT_MISSING') return null;
    throw error;
  });
  return text === null ? null : text.split('\0').filter((name) => name !== '');
}
