import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { VerenError } from '../../contract/errors.ts';
import type { ChosenContext } from '../contexts/chooseContext.ts';
import { describeRepository, type LocalRepository } from '../git/describeRepository.ts';
import { isRepositoryUrl } from '../git/remoteUrl.ts';
import { type Shell, tellUser } from '../shell.ts';

/** What the platform is asked to read. */
export interface Source {
  /** Absent for a folder that is uploaded. */
  readonly gitUrl?: string;
  readonly ref?: string;
  /** What a project of it would be called after. */
  readonly name: string;
  /** The folder that it was found in; absent for a URL. */
  readonly folder?: string;
}

/**
 * A git URL as it was given, or of a folder (default: this one) its repository's remote and the commit that is checked
 * out there. A laptop's platform reads a repository without a remote from where it is. Throws CLI_NO_REPOSITORY,
 * CLI_NO_COMMIT, CLI_NO_REMOTE, CLI_NOT_PUSHED, CLI_USAGE.
 */
export async function chooseSource(
  shell: Shell,
  chosen: Pick<ChosenContext, 'isLaptop'>,
  given: string | undefined,
  ref: string | undefined,
): Promise<Source & { readonly gitUrl: string }> {
  if (given !== undefined && isRepositoryUrl(given)) return { gitUrl: given, name: given, ...(ref && { ref }) };
  const folder = resolve(shell.cwd, given ?? '.');
  const isFolder = await stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    const reason = `there is no folder ${folder}, and "${given}" is no git URL.`;
    throw new VerenError('CLI_USAGE', { reason, help: 'veren deploy --help' });
  }
  const repository = await describeRepository(shell, folder);
  const { folder: top, remote, commit } = repository;
  if (!remote && !chosen.isLaptop) throw new VerenError('CLI_NO_REMOTE', { folder: top });
  if (remote && !remote.hasCommit && ref === undefined)
    throw new VerenError('CLI_NOT_PUSHED', { commit: commit.slice(0, 12), remote: remote.name });
  if (ref === undefined) tellChangedFiles(shell, repository);
  const gitUrl = remote?.url ?? pathToFileURL(top).href;
  return { gitUrl, ref: ref ?? refOf(repository), name: remote?.url ?? top, folder };
}

/** The branch where the remote has it at this very commit, since a branch has an address of its own; else the commit. */
function refOf({ branch, commit, remote }: LocalRepository): string {
  const isAtBranch = remote ? remote.isTip : branch !== undefined;
  return isAtBranch && branch !== undefined ? branch : commit;
}

function tellChangedFiles(shell: Shell, { changedFiles, commit }: LocalRepository): void {
  if (changedFiles === 0) return;
  if (changedFiles === null) {
    const why = 'since settings of the repository itself may name filters, which are programs';
    tellUser(shell, `Whether files are changed is not looked at, ${why}: what is deployed is ${commit.slice(0, 12)}.`);
    return;
  }
  const files = changedFiles === 1 ? '1 file is' : `${changedFiles} files are`;
  tellUser(shell, `${files} changed and not committed: what is deployed is the commit ${commit.slice(0, 12)}.`);
}
