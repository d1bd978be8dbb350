import { execa } from 'execa';
import { VerenError } from '../../contract/errors.ts';

/** Throws GIT_MISSING where `git` cannot be run. */
export async function requireGit(): Promise<void> {
  try {
    await execa('git', ['--version']);
  } catch (e) {
    throw new VerenError('GIT_MISSING', {}, { cause: e });
  }
}
