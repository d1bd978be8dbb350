import type { Command } from 'commander';
import type { DeploymentView } from '../../contract/api.ts';
import { isTerminal } from '../../contract/record.ts';
import { formatDuration, totalTime } from '../client/durations.ts';
import type { ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { addressOf } from '../output/addresses.ts';
import { describeSource } from '../output/describeSource.ts';
import { parseCount } from '../output/parseOptions.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { findProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface ListOptions extends ProjectOptions {
  readonly all?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

export function registerList(program: Command, { shell, openContext }: CommandHost): void {
  withProjectOptions(
    program.command('ls').argument('[project]', 'in place of --project').description('list deployments, newest first'),
  )
    .option('-a, --all', 'of all projects')
    .option('-n, --limit <count>', 'at most so many, 1 to 100', parseCount(1, 100), 20)
    .option('--cursor <cursor>', 'the page after this one (from --json)')
    .action(async (argument: string | undefined, options: ListOptions) => {
      const { client, style } = await openContext(options);
      const { limit, cursor } = options;
      const projectId = options.all ? undefined : await findProject(shell, argument ?? options.project);
      const page = await client.listDeployments({ limit, ...(projectId && { projectId }), ...(cursor && { cursor }) });
      // A name with a slip in it is no project without deployments.
      if (projectId !== undefined && page.items.length === 0 && !cursor) await client.getProject(projectId);
      if (options.json) return printJson(shell, page);
      if (page.items.length === 0) return tellUser(shell, `No deployments${projectId ? ` of ${projectId}` : ''} yet.`);
      const now = shell.now();
      const rows = page.items.map((record) => rowOf(record, now));
      printResult(shell, ...formatTable(HEADING, rows, style.colors));
      if (page.cursor) tellUser(shell, style.safe(`There are more: --cursor ${page.cursor.slice(0, 64)}`));
    });
}

const HEADING = ['DEPLOYMENT', 'PROJECT', 'STATUS', 'FOR', 'SOURCE', 'AGE', 'TOOK', 'ADDRESS'];

const rowOf = (record: DeploymentView, now: number): string[] => [
  record.deploymentId,
  record.projectId,
  record.released === undefined ? record.status : 'live',
  record.environment ?? '-',
  describeSource(record),
  formatAge(record.createdAt, now),
  isTerminal(record.status) ? formatDuration(totalTime(record, now)) : '-',
  (record.status === 'succeeded' &&
    !record.expired &&
    addressOf(record, { production: record.released !== undefined })) ||
    '-',
];
