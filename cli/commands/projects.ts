import type { Command } from 'commander';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { describeSource } from '../output/describeSource.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { listAllProjects } from '../project/listAllProjects.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

const HEADING = ['PROJECT', 'STATE', 'RELEASE', 'SINCE', 'SOURCE', 'BY', 'CHANGED', 'REPOSITORY'];

export function registerProjects(program: Command, { shell, openContext }: CommandHost): void {
  withCommonOptions(program.command('projects').description('list projects')).action(async (options: CommonOptions) => {
    const { client, style } = await openContext(options);
    const items = await listAllProjects(client);
    if (options.json) return printJson(shell, { items });
    if (items.length === 0) return tellUser(shell, 'No projects yet: "veren deploy" makes one.');
    // One request for the newest of all; what was released before them is called by its id alone.
    const { items: newest } = await client.listDeployments({ limit: 100 });
    const sources = new Map(newest.map((record) => [record.deploymentId, describeSource(record)]));
    const now = shell.now();
    const rows = items.map(({ projectId, settings, release, pinned, deleting, updatedAt }) => [
      projectId,
      deleting ? 'being deleted' : pinned ? 'pinned' : release ? 'live' : '-',
      release?.deploymentId ?? '-',
      release ? formatAge(release.at, now) : '-',
      (release && sources.get(release.deploymentId)) ?? '-',
      release?.by ?? '-',
      formatAge(updatedAt, now),
      settings.gitUrl ?? '-',
    ]);
    printResult(shell, ...formatTable(HEADING, rows, style.colors));
  });
}
