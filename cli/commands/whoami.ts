import type { Command } from 'commander';
import type { CommonOptions } from '../commandContext.ts';
import { type CommandHost, withCommonOptions } from '../commandHost.ts';
import { printJson, printResult } from '../shell.ts';

export function registerWhoamiCommand(program: Command, { shell, openContext }: CommandHost): void {
  withCommonOptions(program.command('whoami').description('show whose the token is, and what it may do')).action(
    async (options: CommonOptions) => {
      const { client, chosen, style } = await openContext(options);
      const caller = await client.getCaller();
      if (options.json) return printJson(shell, { context: chosen.name, url: chosen.url, ...caller });
      const rows: (readonly [string, string])[] = [
        ['owner', caller.owner],
        ['token', caller.tokenId === undefined ? caller.name : `${caller.name} (${caller.tokenId})`],
        ['scope', caller.scope],
        ['projects', caller.projects?.join(', ') ?? 'all'],
        ['context', chosen.name],
        ['address', chosen.url],
      ];
      printResult(shell, ...rows.map(([name, value]) => `${name.padEnd(10)}${style.safe(value)}`));
    },
  );
}
