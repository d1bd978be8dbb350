import type { Command } from 'commander';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { describeDeployment } from '../output/describeDeployment.ts';
import { chooseDeployment } from '../project/chooseDeployment.ts';
import { printJson, printResult } from '../shell.ts';

export function registerInspect(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('inspect')
      .argument('[deployment]', 'default: the newest of the project')
      .description('show a deployment: plan, phases, addresses, errors'),
  ).action(async (argument: string | undefined, options: ProjectOptions) => {
    const { client, style } = await openContext(options);
    const deploymentId = await chooseDeployment(shell, client, argument, options.project);
    const record = await client.getDeployment(deploymentId);
    if (options.json) return printJson(shell, record);
    printResult(shell, ...describeDeployment(record, style, shell.now()));
  });
}
