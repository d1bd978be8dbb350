import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { VerenError } from '../../contract/errors.ts';

/** Large folders that are never part of a repository. git itself leaves out what the folder's .gitignore names. */
const LEFT_OUT = new Set(['node_modules', '.git']);

/**
 * An environment for git that is the same everywhere: without the user's configuration, hooks and identity, and without
 * variables of a git that may have called us. The fixed date gives the same commit for the same folder.
 */
const GIT_ENV = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Veren example',
  GIT_AUTHOR_EMAIL: 'example@veren.invalid',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Veren example',
  GIT_COMMITTER_EMAIL: 'example@veren.invalid',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
  LC_ALL: 'C',
};

export interface Repository {
  readonly folder: string;
  /** `file:` URL of it. */
  readonly url: string;
  readonly commit: string;
}

/**
 * Copies `folder` to `target`, which must not exist or be empty, and makes the copy a git repository with one commit on
 * branch `main`. Throws `GIT_MISSING`.
 */
export async function makeRepositoryFromFolder(folder: string, target: string): Promise<Repository> {
  await cp(folder, target, {
    recursive: true,
    errorOnExist: true,
    force: false,
    filter: (source) =>
      source === folder ||
      !relative(folder, source)
        .split(sep)
        .some((part) => LEFT_OUT.has(part)),
  });
  await runGitCommand(target, 'init', '--quiet', '--template=');
  await runGitCommand(target, 'symbolic-ref', 'HEAD', 'refs/heads/main');
  await runGitCommand(target, 'add', '--all');
  await runGitCommand(
    target,
    'commit',
    '--quiet',
    '--allow-empty',
    '--no-gpg-sign',
    '--message',
    `Example ${basename(folder)}`,
  );
  const commit = await runGitCommand(target, 'rev-parse', 'HEAD');
  return { folder: target, url: pathToFileURL(target).href, commit };
}

const run = promisify(execFile);

async function runGitCommand(cwd: string, ...args: string[]): Promise<string> {
  try {
    const env = { ...GIT_ENV, PATH: process.env.PATH };
    const { stdout } = await run('git', ['-c', 'core.autocrlf=false', ...args], { cwd, env });
    return stdout.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new VerenError('GIT_MISSING', {}, { cause: error });
    throw error;
  }
}
