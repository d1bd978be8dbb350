import { Argument, type Command } from 'commander';
import type { CommandHost } from '../commandHost.ts';
import { listCommands } from '../completion/commandTree.ts';
import { type CompletionShell, completionScript, SHELLS } from '../completion/scripts.ts';

export function registerCompletion(program: Command, { shell }: CommandHost): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .description('print the script that completes commands in a shell')
    .addHelpText('after', '\nFor bash, in ~/.bashrc: source <(veren completion bash)')
    .action((name: CompletionShell) => {
      shell.stdout.write(completionScript(name, listCommands(program)));
    });
}
