import { CommanderError } from 'commander';
import { contextOpener } from './commandContext.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { createProgram } from './program.ts';
import { reportError } from './reportError.ts';
import type { Shell } from './shell.ts';

/** Runs one command and gives its exit code. @param keepSecret Is told the token, which then appears in no output. */
export async function runCli(
  shell: Shell,
  argv: readonly string[],
  keepSecret: (token: string) => void,
): Promise<ExitCode> {
  for (const name of ['VEREN_TOKEN', 'VEREN_GIT_TOKEN']) {
    const secret = shell.env[name]?.trim();
    if (secret) keepSecret(secret);
  }
  let code: ExitCode = EXIT.ok;
  const program = createProgram({
    shell,
    keepSecret,
    openContext: contextOpener(shell, keepSecret),
    endWith: (given) => {
      code = given;
    },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Help that was asked for, and the version. Help instead of a missing subcommand is an answer to a wrong call.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const end = argv.indexOf('--');
    return reportError(shell, error, { json: argv.slice(0, end < 0 ? undefined : end).includes('--json') });
  }
}
