import pc from 'picocolors';
import { VerenError } from '../contract/errors.ts';
import { ProblemError, UnreachableError } from './client/errors.ts';
import { terminalText } from './client/terminalText.ts';
import { wordsOf } from './errorWords.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exitCodes.ts';
import { InterruptedError, type Shell, tellUser, terminalJson } from './shell.ts';

/** A sentence has a few lines; what a server says beyond is cut. */
const MAX_LINES = 40;
const MAX_LINE = 1_000;

/**
 * Says what was thrown: on stderr as sentences, with `--json` as one line of JSON. Gives the exit code. A fault of ours
 * is thrown on, since its stack is what cures it.
 */
export function reportError(shell: Shell, error: unknown, { json }: { readonly json: boolean }): ExitCode {
  const exitCode = exitCodeOf(error);
  if (exitCode === undefined) throw error;
  // What goes on was said where it was followed.
  if (error instanceof InterruptedError) return exitCode;
  const { message } = error as Error;
  if (json) {
    tellUser(shell, terminalJson({ error: { ...describeFault(error), message: message.slice(0, 8_000), exitCode } }));
    return exitCode;
  }
  const [first = '', ...more] = wordsOf(error as Error)
    .split('\n')
    .slice(0, MAX_LINES)
    .map((line) => terminalText(line.slice(0, MAX_LINE), false));
  tellUser(shell, `${pc.createColors(shell.stderr.color).red('Error:')} ${first}`, ...more);
  if (error instanceof UnreachableError)
    tellUser(shell, 'Check that it runs and that the address is right: "veren contexts ls" shows it.');
  if (exitCode === EXIT.notAuthenticated && error instanceof ProblemError)
    tellUser(shell, '"veren login" takes another token; "veren whoami" says what this one may do.');
  return exitCode;
}

function describeFault(error: unknown): { code: string; status?: number; errors?: unknown; instance?: string } {
  if (error instanceof VerenError) return { code: error.code };
  if (!(error instanceof ProblemError)) return { code: 'UNREACHABLE' };
  const { code, status, errors, instance } = error.problem;
  return { code, status, ...(errors && { errors }), instance };
}
