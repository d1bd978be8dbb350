import { VerenError } from '../../contract/errors.ts';
import type { Shell } from '../shell.ts';
import { readableUrl } from './remoteUrl.ts';
import { runGit } from './runGit.ts';

/** What is to be deployed of a repository on this machine. */
export interface LocalRepository {
  /** Its top folder. */
  readonly folder: string;
  readonly commit: string;
  /** Absent where no branch is checked out. */
  readonly branch?: string;
  /** Where the platform reads it; absent without a remote. */
  readonly remote?: {
    readonly name: string;
    readonly url: string;
    readonly hasCommit: boolean;
    readonly isTip: boolean;
  };
  /** Files that differ from the commit, new ones included; null where the repository's own settings prevent a look. */
  readonly changedFiles: number | null;
}

/**
 * The repository around `folder`. Whether its commit is at the remote is known from what the last push or fetch has left,
 * so nothing is asked over the network. Throws CLI_NO_REPOSITORY, CLI_NO_COMMIT, GIT_MISSING.
 */
export async function describeRepository(shell: Shell, folder: string): Promise<LocalRepository> {
  const git = (...args: string[]) => runGit(shell, folder, args);
  const top = await git('rev-parse', '--show-toplevel');
  if (!top) throw new VerenError('CLI_NO_REPOSITORY', { folder });
  const commit = await git('rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (!commit) throw new VerenError('CLI_NO_COMMIT', { folder: top });
  const [branch, changedFiles, remotes] = await Promise.all([
    git('symbolic-ref', '--quiet', '--short', 'HEAD'),
    countChanges(git),
    git('remote'),
  ]);
  const upstream = branch ? await git('config', '--get', `branch.${branch}.remote`) : null;
  const names = (remotes ?? '').split('\n').filter((name) => name !== '');
  const name = [upstream, 'origin', names.length === 1 ? names[0] : null].find((n) => n && names.includes(n));
  const remoteUrl = name ? await git('remote', 'get-url', '--', name) : null;
  return {
    folder: top,
    commit,
    ...(branch && { branch }),
    ...(name && remoteUrl && { remote: await describeRemote(shell, top, { name, remoteUrl, commit, branch }) }),
    changedFiles,
  };
}

/**
 * A status runs the filters of files, which are programs: those of the user's own settings, such as Git LFS, and none that
 * came with the repository. In submodules, which have settings of their own, nothing is looked at.
 */
async function countChanges(git: (...args: string[]) => Promise<string | null>): Promise<number | null> {
  const settings = await git('config', '--list', '--show-scope', '--name-only', '-z');
  const parts = settings?.split('\0') ?? [];
  const isOwn = (scope = '') => ['system', 'global', 'command'].includes(scope);
  const hasForeign = parts.some((name, at) => at % 2 === 1 && OF_FILTERS.test(name) && !isOwn(parts[at - 1]));
  if (settings === null || hasForeign) return null;
  const status = await git('status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=dirty');
  return (status ?? '').split('\n').filter((line) => line !== '').length;
}
/** Filters, and what Git LFS, as one, starts by itself. */
const OF_FILTERS = /^(?:filter|lfs\.(?:extension|customtransfer))\./i;

async function describeRemote(
  shell: Shell,
  folder: string,
  { name, remoteUrl, commit, branch }: { name: string; remoteUrl: string; commit: string; branch: string | null },
): Promise<NonNullable<LocalRepository['remote']>> {
  const branches = `refs/remotes/${name}`;
  const [containing, tip] = await Promise.all([
    runGit(shell, folder, ['for-each-ref', '--count=1', '--contains', commit, '--', branches]),
    branch ? runGit(shell, folder, ['rev-parse', '--verify', '--quiet', `${branches}/${branch}^{commit}`]) : null,
  ]);
  const url = readableUrl(remoteUrl, folder, { windows: shell.platform === 'win32' });
  return { name, url, hasCommit: !!containing, isTip: tip === commit };
}
