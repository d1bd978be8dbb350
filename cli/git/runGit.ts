import { execFile } from 'node:child_process';
import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * Settings of a repository that would let git start programs: its author may be a stranger, since an archive can hold a
 * `.git`, and a clone a folder that looks like a bare repository.
 */
const WITHOUT_PROGRAMS = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'safe.bareRepository=explicit'];
/**
 * What is missing in a repository with a "promisor" is fetched by any command, by a program that its settings name. No
 * protocol has this name; Windows has no empty variables. Source: git(1), GIT_ALLOW_PROTOCOL.
 */
const WITHOUT_NETWORK = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0' };

/**
 * What a read-only git says; null where it ends with an error. It asks nobody for anything, starts no program that the
 * repository's settings name (but filters: see `describeRepository`), and never sees our token. Throws GIT_MISSING.
 */
export function runGit({ env }: Pick<Shell, 'env'>, folder: string, args: readonly string[]): Promise<string | null> {
  const { VEREN_TOKEN: _token, VEREN_GIT_TOKEN: _gitToken, ...rest } = env;
  return new Promise((resolve, reject) => {
    execFile(
      'git',
      [...WITHOUT_PROGRAMS.flatMap((setting) => ['-c', setting]), '--no-optional-locks', ...args],
      {
        cwd: folder,
        env: { ...rest, LC_ALL: 'C', ...WITHOUT_NETWORK },
        timeout: TIMEOUT_MS,
        maxBuffer: MAX_OUTPUT,
        windowsHide: true,
      },
      (error, stdout) => {
        if (!error) return resolve(stdout.replace(/\r?\n$/, ''));
        // A folder that is not there has the same code as a program that is not there.
        if (error.code === 'ENOENT' && error.syscall?.startsWith('spawn'))
          return reject(new VerenError('GIT_MISSING', {}, { cause: error }));
        resolve(null);
      },
    );
  });
}
