import type { Command } from 'commander';
import { countOf } from '../../contract/count.ts';
import type { Usage } from '../../contract/people.ts';
import { formatBytes } from '../client/summary.ts';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { parseCount } from '../output/parseOptions.ts';
import { formatTable } from '../output/table.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface AuditOptions extends CommonOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** `audit`: who has changed what. */
export function registerAudit(program: Command, { shell, openContext }: CommandHost): void {
  withCommonOptions(program.command('audit').description('list who has changed what, newest first'))
    .option('-n, --limit <count>', 'at most so many, 1 to 100', parseCount(1, 100), 20)
    .option('--cursor <cursor>', 'the page after this one (from --json)')
    .action(async ({ limit, cursor, ...options }: AuditOptions) => {
      const { client, style } = await openContext(options);
      const page = await client.listAudit({ limit, ...(cursor && { cursor }) });
      if (options.json) return printJson(shell, page);
      if (page.items.length === 0) return tellUser(shell, 'Nothing was changed yet.');
      const rows = page.items.map(({ at, by, action, projectId, subject, detail }) => [
        ...[at.slice(0, 19).replace('T', ' '), by, action, projectId ?? '-', subject ?? '-', detail ?? '-'],
      ]);
      const heading = ['TIME (UTC)', 'BY', 'ACTION', 'PROJECT', 'SUBJECT', 'DETAIL'];
      printResult(shell, ...formatTable(heading, rows, style.colors));
      if (page.cursor) tellUser(shell, style.safe(`There are more: --cursor ${page.cursor.slice(0, 128)}`));
    });
}

/** `usage`: what the owner uses, and its limits. */
export function registerUsage(program: Command, { shell, openContext }: CommandHost): void {
  withCommonOptions(program.command('usage').description('show what is used, and the limits')).action(
    async (options: CommonOptions) => {
      const { client, style } = await openContext(options);
      const usage = await client.getUsage();
      if (options.json) return printJson(shell, usage);
      printResult(shell, ...formatTable(['WHAT', 'USED', 'LIMIT', ''], rowsOf(usage), style.colors));
    },
  );
}

type Use = Pick<Usage['members'], 'used' | 'limit'>;

function rowsOf(usage: Usage): string[][] {
  const { builds, requestsPerMinute, deploymentsPerHour, storageBytes, members, tokens } = usage;
  const uncounted = storageBytes.uncountedProjects;
  const row = (name: string, { used, limit }: Use, note = '', show: (count: number) => string = String) => [
    ...[name, show(used), limit === undefined ? 'none' : show(limit), note],
  ];
  return [
    row('builds at once', builds, builds.waiting > 0 ? `${builds.waiting} wait` : ''),
    row('requests in this minute', requestsPerMinute),
    row('deployments in this hour', deploymentsPerHour),
    row('storage', storageBytes, uncounted > 0 ? `${countOf(uncounted, 'project')} not counted yet` : '', formatBytes),
    row('members', members),
    row('tokens', tokens),
  ];
}
