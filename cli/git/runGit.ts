import { execFile } from 'node:child_process';
import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';

const TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * What a read-only git says; null where it ends with an error. It asks nobody for anything, starts no program that the
 * repository's settings name for a status, and never sees our token. Throws GIT_MISSING.
 */
export function runGit({ env }: Pick<Shell, 'env'>, folder: string, args: readonly string[]): Promise<string | null> {
  const { VEREN_TOKEN: _token, VEREN_GIT_TOKEN: _gitToken, ...rest } = env;
  return new Promise((resolve, reject) => {
    execFile(
      'git',
      ['-c', 'core.fsmonitor=false', '--no-optional-locks', ...args],
      {
        cwd: folder,
        env: { ...rest, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' },
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
