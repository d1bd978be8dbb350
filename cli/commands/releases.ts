import type { Command } from 'commander';
import type { Release } from '../../contract/project.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import type { CommandContext, CommonOptions, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions, withProjectOptions } from '../commandHost.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface WithReason {
  readonly reason?: string;
}

const withReason = (command: Command) => command.option('--reason <text>', 'kept in the history of releases');
const reasonOf = ({ reason }: WithReason) => (reason === undefined ? {} : { reason });

/** `promote`, `rollback`, `pin` and `unpin`: what production serves. */
export function registerReleases(program: Command, { shell, openContext }: CommandHost): void {
  withReason(
    withCommonOptions(
      program.command('promote').argument('<deployment>').description('make production serve a deployment'),
    ),
  ).action(async (deploymentId: string, options: CommonOptions & WithReason) => {
    const context = await openContext(options);
    tellRelease(context, await context.client.promote(deploymentId, reasonOf(options)), options);
  });

  withReason(
    withProjectOptions(
      program
        .command('rollback')
        .argument('[deployment]', 'default: what was released before')
        .description('go back to an earlier release'),
    ),
  ).action(async (deploymentId: string | undefined, options: ProjectOptions & WithReason) => {
    const context = await openContext(options);
    const projectId = await requireProject(shell, options.project);
    const request = { ...(deploymentId !== undefined && { deploymentId }), ...reasonOf(options) };
    tellRelease(context, await context.client.rollback(projectId, request), options);
  });

  const registerPin = (name: 'pin' | 'unpin', description: string) =>
    withProjectOptions(
      program.command(name).argument('[project]', 'in place of --project').description(description),
    ).action(async (argument: string | undefined, options: ProjectOptions) => {
      const { client, style } = await openContext(options);
      const projectId = await requireProject(shell, argument ?? options.project);
      const history = await client.pinProject(projectId, name === 'pin');
      if (options.json) return printJson(shell, history);
      const { release, pinned } = history;
      const what = pinned
        ? `stays at ${release?.deploymentId ?? 'nothing'} until "veren unpin"`
        : 'follows new deployments';
      tellUser(shell, style.safe(`Production of ${history.projectId} ${what}.`));
    });
  registerPin('pin', 'keep production where it is: nothing is released by itself');
  registerPin('unpin', 'let new production deployments be released again');
}

const describeRelease = ({ deploymentId, variables }: Release): string =>
  variables ? `${deploymentId} with version ${variables.version} of the variables` : deploymentId;

function tellRelease({ shell, style }: CommandContext, history: ReleaseHistory, { json }: CommonOptions): void {
  if (json) {
    printJson(shell, history);
    return;
  }
  const { projectId, release, releases } = history;
  const before = releases[1] ? `, from ${describeRelease(releases[1])}` : '';
  const now = release ? describeRelease(release) : 'nothing';
  tellUser(shell, style.safe(`Production of ${projectId} switches to ${now}${before}; visitors see it in a moment.`));
  if (release) printResult(shell, style.safe(release.deploymentId));
}
