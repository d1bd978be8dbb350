import { type ErrorCode, VerenError } from '../../contract/errors.ts';
import { runCommand } from './command.ts';
import { DISK_FULL, PhaseFault } from './fault.ts';
import { LineSplitter } from './lines.ts';
import { lockfileFault } from './lockfile-fault.ts';
import type { Masker } from './masker.ts';
import { programPath } from './programs.ts';
import type { Reporter } from './reporter.ts';
import type { Sandbox } from './sandbox.ts';

export interface UserCommand {
  /** Run by a shell. */
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly failure: Extract<ErrorCode, 'INSTALL_FAILED' | 'BUILD_FAILED'>;
  readonly sandbox: Sandbox;
  readonly reporter: Reporter;
  readonly mask: Masker;
  readonly signal: AbortSignal;
}

/** The kernel has killed it (137), or V8 has aborted (134) after this message. */
function outOfMemory(exitCode: number, lastLines: readonly string[]): boolean {
  return exitCode === 137 || lastLines.some((line) => line.includes('JavaScript heap out of memory'));
}

/**
 * Runs one command of the user. When this resolves all its processes are dead. Throws `PhaseFault`, or the signal's
 * reason.
 */
export async function runUserCommand(input: UserCommand): Promise<void> {
  const { reporter, sandbox } = input;
  reporter.say(`$ ${input.command}`);
  const splitter = new LineSplitter(input.mask, (line) => reporter.presented('stdout', line));
  const { exitCode, stopped, seconds, peakMemory } = await runCommand({
    argv: [programPath('sh'), '-c', input.command],
    sandbox,
    oneStream: true,
    cwd: input.cwd,
    env: input.env,
    signal: input.signal,
    sweep: () => sandbox.killAll(),
    onOutput: async (_, chunk) => {
      splitter.write(chunk);
      await reporter.room();
    },
  });
  splitter.end();
  const memory = peakMemory === undefined ? '' : `, up to ${Math.round(peakMemory / 1_048_576)} MB of memory`;
  reporter.say(`Exit code ${exitCode} after ${seconds.toFixed(1)} s${memory}`);
  if (stopped) input.signal.throwIfAborted();
  if (exitCode === 0) return;
  const { lastLines } = reporter;
  const error = outOfMemory(exitCode, lastLines)
    ? new VerenError('BUILD_OUT_OF_MEMORY')
    : lastLines.some((line) => DISK_FULL.test(line))
      ? new VerenError('BUILD_DISK_FULL', { phase: input.failure === 'INSTALL_FAILED' ? 'install' : 'build' })
      : ((input.failure === 'INSTALL_FAILED' ? lockfileFault(lastLines) : null) ??
        new VerenError(input.failure, { exitCode }));
  throw new PhaseFault(error, exitCode, lastLines);
}
