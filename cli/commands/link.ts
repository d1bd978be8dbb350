import type { Command } from 'commander';
import { VerenError } from '../../contract/errors.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { chooseOne } from '../output/prompts.ts';
import { checkProjectName } from '../project/chooseProject.ts';
import { LINK_FILE, removeLink, writeLink } from '../project/linkFile.ts';
import { listAllProjects } from '../project/listAllProjects.ts';
import { printJson, tellUser } from '../shell.ts';

interface LinkOptions extends ProjectOptions {
  readonly remove?: boolean;
}

export function registerLink(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('link')
      .argument('[project]', 'in place of --project')
      .description(`say which project this folder is (${LINK_FILE}, which git ignores)`),
  )
    .option('--remove', 'forget it')
    .action(async (argument: string | undefined, options: LinkOptions) => {
      const given = argument ?? options.project;
      if (options.remove) {
        const removed = await removeLink(shell.cwd);
        if (options.json) return printJson(shell, { removed });
        return tellUser(shell, removed ? 'This folder is not linked any more.' : 'This folder was not linked.');
      }
      const projectId = given === undefined ? await askProject(await openContext(options)) : checkProjectName(given);
      const file = await writeLink(shell, shell.cwd, projectId);
      if (options.json) return printJson(shell, { projectId, file });
      tellUser(shell, `Linked to ${projectId} (${file}).`);
    });
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
