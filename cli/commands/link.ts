import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { VerenError } from '../../contract/errors.ts';
import { terminalText } from '../client/terminalText.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { describeRepository } from '../git/describeRepository.ts';
import { chooseOne } from '../output/prompts.ts';
import { checkProjectName } from '../project/chooseProject.ts';
import { LINK_FILE, readLink, removeLink, writeLink } from '../project/linkFile.ts';
import { listAllProjects } from '../project/listAllProjects.ts';
import { printJson, tellUser } from '../shell.ts';

interface LinkOptions extends ProjectOptions {
  readonly remove?: boolean;
  readonly watch?: boolean;
}

export function registerLink(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('link')
      .argument('[project]', 'in place of --project')
      .description(`say which project this folder is (${LINK_FILE}, which git ignores)`),
  )
    .option('--remove', 'forget it')
    .option('--watch', 'on a laptop: deploy by itself what is pushed or committed')
    .action(async (argument: string | undefined, options: LinkOptions) => {
      if (options.remove) {
        const removed = await removeLink(shell.cwd);
        if (options.json) return printJson(shell, { removed });
        return tellUser(shell, removed ? 'This folder is not linked any more.' : 'This folder was not linked.');
      }
      // Who has linked the folder does not name the project again to have it watched.
      const linked = options.watch ? await readLink(shell) : undefined;
      const given = argument ?? options.project ?? linked;
      const projectId = given === undefined ? await askProject(await openContext(options)) : checkProjectName(given);
      const watched = options.watch ? await watchRepository(await openContext(options), projectId) : undefined;
      const file = await writeLink(shell, shell.cwd, projectId);
      if (options.json) return printJson(shell, { projectId, file, ...(watched && { watched }) });
      tellUser(shell, `Linked to ${projectId} (${file}).`);
      if (watched) tellUser(shell, terminalText(`The platform looks at ${watched} by itself from now on.`, false));
    });
}

/**
 * Has the project's repository looked at: the one of its settings, else the one around this folder. Where the project is
 * not connected with a host yet, it is as a repository without any. Throws CLI_NO_REPOSITORY, CLI_NO_COMMIT.
 * @returns the repository's address
 */
async function watchRepository({ shell, client }: CommandContext, projectId: string): Promise<string> {
  const { settings } = await client.getProject(projectId);
  const needsBranch = settings.gitUrl?.startsWith('file:') && settings.productionBranch === undefined;
  const found = settings.gitUrl === undefined || needsBranch ? await describeRepository(shell, shell.cwd) : undefined;
  // The branch of another repository says nothing of the project's.
  const isOther = found && needsBranch && pathToFileURL(found.folder).href !== settings.gitUrl;
  const here = isOther ? undefined : found;
  const gitUrl = settings.gitUrl ?? here?.remote?.url ?? pathToFileURL(here?.folder ?? shell.cwd).href;
  // In a folder, what is checked out says nothing of production.
  const branch = settings.productionBranch ?? (gitUrl.startsWith('file:') ? here?.branch : undefined);
  const path = gitUrl.replace(/^[^:]+:\/\/[^/]*\//, '').replace(/(?:\.git)?\/*$/, '');
  const repository = gitUrl.startsWith('file:') ? path.slice(path.lastIndexOf('/') + 1) : path;
  const connection = settings.connection ? { watch: true } : { host: 'git', repository, watch: true };
  await client.changeProject(projectId, { gitUrl, connection, ...(branch && { productionBranch: branch }) });
  return gitUrl;
}

/** Throws CLI_NO_TERMINAL where nobody can be asked. */
async function askProject({ shell, client }: CommandContext): Promise<string> {
  const how = 'veren link <project>';
  if (!shell.stdin.isTTY || !shell.stderr.isTTY) throw new VerenError('CLI_NO_TERMINAL', { what: 'the project', how });
  const projects = await listAllProjects(client);
  if (projects.length === 0)
    throw new VerenError('CLI_NO_PROJECT', { reason: 'there is none yet; "veren deploy" makes one.' });
  return chooseOne(
    'Which project is this folder?',
    projects.map(({ projectId, settings }) => ({ value: projectId, hint: settings.gitUrl })),
  );
}
