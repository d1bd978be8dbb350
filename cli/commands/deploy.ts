import type { Command } from 'commander';
import type { CreateDeployment } from '../../contract/api.ts';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { chooseSource } from '../deploy/chooseSource.ts';
import { finishDeployment } from '../deploy/finishDeployment.ts';
import { nameProject } from '../deploy/nameProject.ts';
import { parseVariables } from '../deploy/parseVariables.ts';
import { collectValues } from '../output/parseOptions.ts';
import { writeLink } from '../project/linkFile.ts';
import { tellUser } from '../shell.ts';

interface DeployOptions extends ProjectOptions {
  readonly prod?: boolean;
  readonly env?: string[];
  readonly ref?: string;
  readonly wait: boolean;
  readonly force?: boolean;
}

const HELP = `
[source] is a git URL, or a folder of a repository whose commit is pushed; default: this folder.
A private repository needs a token of its git host in VEREN_GIT_TOKEN; it is used for fetching only.`;

export function registerDeploy(program: Command, { shell, openContext, endWith }: CommandHost): void {
  withProjectOptions(
    program
      .command('deploy')
      .argument('[source]', 'git URL or folder')
      .description('deploy a repository and follow it: a preview, or production with --prod'),
  )
    .option('--prod', 'for production, and release it')
    .option('--ref <name>', 'branch, tag or commit; default: what is checked out')
    .option('-e, --env <NAME=value>', 'variable of this build; NAME alone takes it from the environment', collectValues)
    .option('--force', 'build also what was built before')
    .option('--no-wait', 'print the id and leave')
    .addHelpText('after', HELP)
    .action(async (given: string | undefined, options: DeployOptions) => {
      const context = await openContext(options);
      const source = await chooseSource(shell, context.chosen, given, options.ref);
      const { projectId, isFound } = await nameProject(context, source, options.project);
      const gitToken = shell.env.VEREN_GIT_TOKEN?.trim();
      const env = parseVariables(options.env ?? [], shell.env, 'veren deploy --help');
      const request: CreateDeployment = {
        projectId,
        gitUrl: source.gitUrl,
        ...(source.ref !== undefined && { ref: source.ref }),
        environment: options.prod ? 'production' : 'preview',
        ...(gitToken && { gitToken }),
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
