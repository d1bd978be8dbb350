import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { VerenError } from '../../contract/errors.ts';

/** Throws GIT_MISSING where `git` cannot be run. */
export async function requireGit(): Promise<void> {
  try {
    await promisify(execFile)('git', ['--version']);
  } catch (e) {
    throw new VerenError('GIT_MISSING', {}, { cause: e });
  }
}
