import { Argument, type Command } from 'commander';
import { ROLES, type Role } from '../../contract/people.ts';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { formatAge, formatTable } from '../output/table.ts';
import { printJson, printResult, tellUser } from '../shell.ts';

/** `members`: the people that tokens belong to. */
export function registerMembers(program: Command, { shell, openContext }: CommandHost): void {
  const members = program.command('members').helpCommand(false).description('people, whose role limits their tokens');

  withCommonOptions(members.command('ls').description('list them with their roles')).action(
    async (options: CommonOptions) => {
      const { client, style } = await openContext(options);
      const list = await client.listMembers();
      if (options.json) return printJson(shell, list);
      if (list.items.length === 0)
        return tellUser(shell, 'No members yet: "veren members set <name> <role>" adds one.');
      const now = shell.now();
      const rows = list.items.map(({ name, role, addedAt }) => [name, role, formatAge(addedAt, now)]);
      printResult(shell, ...formatTable(['NAME', 'ROLE', 'ADDED'], rows, style.colors));
    },
  );

  withCommonOptions(
    members
      .command('set')
      .argument('<name>')
      .addArgument(new Argument('<role>').choices(ROLES))
      .description('add one, or change the role of one'),
  ).action(async (name: string, role: Role, options: CommonOptions) => {
    const { client, style } = await openContext(options);
    const member = await client.putMember(name, role);
    if (options.json) return printJson(shell, member);
    const how = `veren tokens create <token> --member "${member.name}"`;
    tellUser(shell, style.safe(`${member.name} is ${member.role}. To make a token for them: ${how}`));
  });

  withCommonOptions(
    members.command('rm').argument('<name>').description('remove one, and revoke the tokens that are theirs'),
  ).action(async (name: string, options: CommonOptions) => {
    const { client, style } = await openContext(options);
    await client.removeMember(name);
    if (options.json) return printJson(shell, { name });
    tellUser(shell, style.safe(`${name} is removed, and every token of theirs revoked.`));
  });
}
