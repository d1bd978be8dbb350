import type { Command } from 'commander';
import { countOf } from '../../contract/count.ts';
import { describeBudget, formatMoney } from '../../contract/money.ts';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult } from '../shell.ts';

export function registerCosts(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program
      .command('costs')
      .argument('[project]', 'in place of --project')
      .option('--month <month>', 'for example 2026-11; default: the present one')
      .description('show what the builds of a project have cost in a month, and its budget'),
  ).action(async (argument: string | undefined, options: ProjectOptions & { readonly month?: string }) => {
    const { client, style } = await openContext(options);
    const projectId = await requireProject(shell, argument ?? options.project);
    const costs = await client.getCosts(projectId, options.month);
    if (options.json) return printJson(shell, costs);
    const { month, microUsd, deployments, unpriced } = costs;
    const without = unpriced === 0 ? '' : `, ${unpriced} without an amount: no prices of their region`;
    const budget = describeBudget(costs);
    const spent =
      deployments === 0
        ? 'no build has cost anything'
        : `about ${formatMoney(microUsd)} for ${countOf(deployments, 'deployment')}${without}`;
    printResult(
      shell,
      style.safe(`${projectId} in ${month}: ${spent}`),
      ...(budget === '' ? [] : [style.safe(`Budget: ${budget}`)]),
    );
  });
}
