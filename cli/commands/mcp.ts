import type { Command } from 'commander';
import type { CommonOptions } from '../commandContext.ts';
import type { CommandHost } from '../commandHost.ts';

const HELP = `
For an assistant that speaks the Model Context Protocol, over standard input and output:
  {"mcpServers": {"veren": {"command": "veren", "args": ["mcp"]}}}
It lists, deploys previews, reads logs and explains failures. Production, and any other repository than the
project's, needs the consent of the user. Folders are uploaded from the one that it is started in, or below.`;

export function registerMcp(program: Command, { openContext }: CommandHost): void {
  program
    .command('mcp')
    .description('serve an assistant by the Model Context Protocol (stdio)')
    .option('--context <name>', 'talk to this Veren (see "veren contexts ls")')
    .addHelpText('after', HELP)
    .action(async (options: CommonOptions) => {
      const context = await openContext(options);
      // A bundle of its own: no other command has to load it.
      const { startMcp } = await import('../mcp/startMcp.ts');
      await startMcp(context);
    });
}
