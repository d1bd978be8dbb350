import type { Command } from 'commander';
import type { Domain } from '../../contract/domains.ts';
import type { CommandContext, ProjectOptions } from '../commandContext.ts';
import { type CommandHost, withProjectOptions } from '../commandHost.ts';
import { formatTable } from '../output/table.ts';
import { requireProject } from '../project/chooseProject.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

export function registerDomains(program: Command, { shell, openContext }: CommandHost): void {
  const domains = program
    .command('domains')
    .helpCommand(false)
    .description("a project's own domains, which show production");

  withProjectOptions(domains.command('ls').description('list them, with how far they are')).action(
    async (options: ProjectOptions) => {
      const context = await openContext(options);
      const list = await context.client.listDomains(await requireProject(shell, options.project));
      if (options.json) return printJson(shell, list);
      if (list.domains.length === 0) return tellUser(shell, 'None yet: "veren domains add <name>" adds one.');
      const rows = list.domains.map(({ name, status, problem }) => [name, status, problem ?? '-']);
      printResult(shell, ...formatTable(['DOMAIN', 'STATUS', 'PROBLEM'], rows, context.style.colors));
    },
  );

  withProjectOptions(
    domains
      .command('add')
      .argument('<domain>')
      .description('add one, or look how far it is; says what to enter in its DNS'),
  ).action(async (name: string, options: ProjectOptions) => {
    const context = await openContext(options);
    const domain = await context.client.addDomain(await requireProject(shell, options.project), name);
    if (options.json) return printJson(shell, domain);
    tellDomain(context, domain);
  });

  withProjectOptions(domains.command('rm').argument('<domain>').description('give one up')).action(
    async (name: string, options: ProjectOptions) => {
      const { client, style } = await openContext(options);
      const removed = await client.removeDomain(await requireProject(shell, options.project), name);
      if (options.json) return printJson(shell, removed);
      tellUser(shell, style.safe(`${removed.name} does not show ${removed.projectId} any more.`));
    },
  );
}

function tellDomain({ shell, style }: CommandContext, { name, status, dns, problem }: Domain): void {
  printResult(shell, style.safe(`${name}: ${status}`));
  if (problem !== undefined) tellUser(shell, style.safe(problem));
  if (status === 'live' || dns.length === 0) return;
  const rows = dns.map((entry) => [entry.type, entry.name, entry.value]);
  tellUser(shell, 'At the host of its DNS enter:', ...formatTable(['TYPE', 'NAME', 'VALUE'], rows, style.colors));
}
