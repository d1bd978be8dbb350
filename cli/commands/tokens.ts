import { type Command, Option } from 'commander';
import { type CreateToken, SCOPES, type Scope } from '../../contract/people.ts';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { collectValues, parseCount } from '../output/parseOptions.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

interface CreateOptions extends CommonOptions {
  readonly scope: Scope;
  readonly project?: string[];
  readonly member?: string;
  readonly days?: number;
}

export function registerTokens(program: Command, { shell, openContext }: CommandHost): void {
  const tokens = program.command('tokens').helpCommand(false).description('named tokens: for people, machines and CI');

  withCommonOptions(tokens.command('ls').description('list them')).action(async (options: CommonOptions) => {
    const { client, style } = await openContext(options);
    const list = await client.listTokens();
    if (options.json) return printJson(shell, list);
    if (list.items.length === 0) return tellUser(shell, 'No named tokens yet: "veren tokens create <name>" makes one.');
    const now = shell.now();
    const rows = list.items.map((token) => [
      token.id,
      token.name,
      token.scope,
      token.projects?.join(',') ?? 'all',
      token.member ?? '-',
      token.lastUsedAt ? formatAge(token.lastUsedAt, now) : 'never',
      token.expiresAt?.slice(0, 10) ?? 'never',
    ]);
    const heading = ['ID', 'NAME', 'SCOPE', 'PROJECTS', 'MEMBER', 'USED', 'EXPIRES'];
    printResult(shell, ...formatTable(heading, rows, style.colors));
  });

  withCommonOptions(tokens.command('create').argument('<name>').description('make one; it is printed once, on stdout'))
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('deploy'))
    .option('-p, --project <name>', 'good for this project alone; may be repeated', collectValues)
    .option('--member <name>', 'a token of this member, which may do no more than the member')
    .option('--days <count>', 'until it expires; default: it does not', parseCount(1, 3_650))
    .action(async (name: string, { scope, project, member, days, ...options }: CreateOptions) => {
      const { client, style } = await openContext(options);
      const request: CreateToken = {
        ...{ name, scope },
        ...(project && { projects: project }),
        ...(member !== undefined && { member }),
        ...(days !== undefined && { expiresInDays: days }),
      };
      const created = await client.createToken(request);
      if (options.json) return printJson(shell, created);
      tellUser(
        shell,
        style.safe(`Token "${created.name}" (${created.id}), scope ${created.scope}. It is not shown again:`),
      );
      printResult(shell, style.safe(created.token));
    });

  withCommonOptions(tokens.command('revoke').argument('<id>').description('make one worthless')).action(
    async (id: string, options: CommonOptions) => {
      const { client, style } = await openContext(options);
      await client.revokeToken(id);
      if (options.json) return printJson(shell, { id });
      tellUser(shell, style.safe(`The token ${id} is revoked.`));
    },
  );
}
