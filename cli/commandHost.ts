import type { Command } from 'commander';
import type { OpenContext } from './commandContext.ts';
import type { ExitCode } from './exitCodes.ts';
import type { Shell } from './shell.ts';

/** What commands are made of. */
export interface CommandHost {
  readonly shell: Shell;
  readonly openContext: OpenContext;
  readonly keepSecret: (secret: string) => void;
  /** Ends with this code in place of 0. */
  readonly endWith: (code: ExitCode) => void;
}

/** Adds the options of commands that talk to a platform. */
export const withCommonOptions = (command: Command): Command =>
  command
    .option('--context <name>', 'talk to this Veren (see "veren contexts ls")')
    .option('--json', 'print what the API has answered, as JSON');

/** Adds the options of commands that are about one project. */
export const withProjectOptions = (command: Command): Command =>
  withCommonOptions(command.option('-p, --project <name>', 'the project; default: the one this folder is linked to'));
