import type { Command } from 'commander';
import type { CommonOptions, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions, withProjectOptions } from '../commandHost.ts';
import { finishDeployment } from '../deploy/finishDeployment.ts';
import { chooseDeployment } from '../project/chooseDeployment.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface RedeployOptions extends ProjectOptions {
  readonly wait: boolean;
  readonly dropCache?: boolean;
}

/** `redeploy` and `cancel`: what changes a deployment's course. */
export function registerRepeat(program: Command, { shell, openContext, endWith }: CommandHost): void {
  withProjectOptions(
    program
      .command('redeploy')
      .argument('[deployment]', 'default: the newest of the project')
      .description('build the same commit again, and follow it'),
  )
    .option('--drop-cache', 'without the caches of earlier builds, which are removed')
    .option('--no-wait', 'print the id and leave')
    .action(async (argument: string | undefined, options: RedeployOptions) => {
      const context = await openContext(options);
      const deploymentId = await chooseDeployment(shell, context.client, argument, options.project);
      const accepted = await context.client.redeploy(deploymentId, options.dropCache ? { cache: 'drop' } : {});
      endWith(await finishDeployment(context, accepted, options));
    });

  withCommonOptions(
    program.command('cancel').argument('<deployment>').description('end a deployment that has not ended'),
  ).action(async (deploymentId: string, options: CommonOptions) => {
    const { client, style } = await openContext(options);
    const accepted = await client.cancel(deploymentId);
    if (options.json) return printJson(shell, accepted);
    tellUser(shell, 'It is being canceled.');
    printResult(shell, style.safe(accepted.deploymentId));
  });
}
