import type { Command } from 'commander';
import type { CreateDeployment } from '../../contract/api.ts';
import { VerenError } from '../../contract/errors.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { chooseSource, type Source } from '../deploy/chooseSource.ts';
import { finishDeployment } from '../deploy/finishDeployment.ts';
import { nameProject } from '../deploy/nameProject.ts';
import { parseVariables } from '../deploy/parseVariables.ts';
import { collectValues } from '../output/parseOptions.ts';
import { writeLink } from '../project/linkFile.ts';
import { tellUser } from '../shell.ts';
import { findFolder, uploadToProject } from '../upload/deployFolder.ts';

interface DeployOptions extends ProjectOptions {
  readonly prod?: boolean;
  readonly env?: string[];
  readonly ref?: string;
  readonly folder?: boolean;
  readonly wait: boolean;
  readonly force?: boolean;
}

const HELP = `
[source] is a git URL, or a folder; default: this one. Of a repository the commit is deployed that is checked out and
pushed; a folder without git is uploaded, and with --folder any folder as it is. .gitignore and .verenignore say what is
left out; .env files are, unless .verenignore has a line such as !.env.production.
A private repository needs a token of its git host in VEREN_GIT_TOKEN; it is used for fetching only.`;

export function registerDeploy(program: Command, { shell, openContext, endWith }: CommandHost): void {
  withProjectOptions(
    program
      .command('deploy')
      .argument('[source]', 'git URL or folder')
      .description('deploy a repository or a folder and follow it: a preview, or production with --prod'),
  )
    .option('--prod', 'for production, and release it')
    .option('--ref <name>', 'branch, tag or commit; default: what is checked out')
    .option('--folder', 'upload the files of the folder as they are now')
    .option('-e, --env <NAME=value>', 'variable of this build; NAME alone takes it from the environment', collectValues)
    .option('--force', 'build also what was built before')
    .option('--no-wait', 'print the id and leave')
    .addHelpText('after', HELP)
    .action(async (given: string | undefined, options: DeployOptions) => {
      const context = await openContext(options);
      const source = await chooseDeployed(context, given, options);
      const env = parseVariables(options.env ?? [], shell.env, 'veren deploy --help');
      const { projectId, isFound } = await nameProject(context, source, options.project);
      const request: CreateDeployment = {
        projectId,
        ...(source.gitUrl === undefined
          ? { upload: await uploadToProject(context, source.folder!, projectId) }
          : repositoryOf(context, source.gitUrl, source.ref)),
        environment: options.prod ? 'production' : 'preview',
        ...(Object.keys(env).length > 0 && { env }),
        ...(options.force && { force: true }),
      };
      const accepted = await context.client.createDeployment(request);
      if (isFound && source.folder !== undefined) {
        const file = await writeLink(shell, source.folder, projectId);
        tellUser(shell, context.style.safe(`Linked to ${projectId} (${file}), so that other commands find it.`));
      }
      endWith(await finishDeployment(context, accepted, options));
    });
}

/** A repository, or where there is none, or `--folder`, a folder to upload. */
async function chooseDeployed(
  context: CommandContext,
  given: string | undefined,
  { folder: asFolder, ref }: DeployOptions,
): Promise<Source> {
  if (!asFolder)
    try {
      return await chooseSource(context.shell, context.chosen, given, ref);
    } catch (error) {
      const hasNoGit = error instanceof VerenError && ['CLI_NO_REPOSITORY', 'GIT_MISSING'].includes(error.code);
      if (!hasNoGit || ref !== undefined) throw error;
    }
  else if (ref !== undefined)
    throw new VerenError('CLI_USAGE', { reason: 'a folder has no --ref.', help: 'veren deploy --help' });
  const folder = await findFolder(context, given);
  return { folder, name: folder };
}

function repositoryOf({ shell }: CommandContext, gitUrl: string, ref: string | undefined): Partial<CreateDeployment> {
  const gitToken = shell.env.VEREN_GIT_TOKEN?.trim();
  return { gitUrl, ...(ref !== undefined && { ref }), ...(gitToken && { gitToken }) };
}
