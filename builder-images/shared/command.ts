import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchMemory } from './memory.ts';

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment: nothing of ours is added. */
  readonly env: Readonly<Record<string, string>>;
  /** A promise that it returns holds the stream up. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => Promise<void> | void;
  /** Ends the command with its whole process group: SIGTERM, then SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  readonly graceMs?: number;
  /** Called when the command has ended: ends what has left its group. */
  readonly sweep?: () => Promise<void>;
}

export interface CommandResult {
  /** As a shell would tell it: 128 + signal where one ended the command; 127 where it could not be started. */
  readonly exitCode: number;
  /** Ended by the abort signal. */
  readonly stopped: boolean;
  readonly seconds: number;
  /** Most resident memory seen of its session, in bytes; undefined where the system does not tell (or it was too short). */
  readonly peakMemory: number | undefined;
}

/** Once the command has ended: output that stays silent so long is held open by somebody else, and is not waited for. */
const SILENCE_MS = 300;
/** … and neither is output that never falls silent. */
const DRAIN_MS = 15_000;
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/** False where the group does not exist any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function follow(stream: Readable, name: 'stdout' | 'stderr', onOutput: Command['onOutput']): Promise<void> {
  try {
    for await (const chunk of stream) await onOutput(name, chunk as Buffer);
  } catch {
    // Destroyed below: the command has ended and somebody else holds the pipe.
  }
}

/** Runs a command in a process group of its own, which is dead when this resolves. Never rejects for the command's faults. */
export async function runCommand(command: Command): Promise<CommandResult> {
  const { signal } = command;
  if (signal.aborted) return { exitCode: 143, stopped: true, seconds: 0, peakMemory: undefined };
  const started = performance.now();
  const [file, ...args] = command.argv;
  const child = spawn(file, args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const activity = { at: performance.now() };
  const onOutput: Command['onOutput'] = async (stream, chunk) => {
    activity.at = Number.POSITIVE_INFINITY;
    await command.onOutput(stream, chunk);
    activity.at = performance.now();
  };
  const output = Promise.all([follow(child.stdout, 'stdout', onOutput), follow(child.stderr, 'stderr', onOutput)]);
  const ended = new Promise<number>((resolve) => {
    child.on('exit', (code, by) => resolve(code ?? 128 + (SIGNALS[by ?? ''] ?? 0)));
    child.on('error', (error) => {
      void command.onOutput('stderr', Buffer.from(`${error.message}\n`));
      resolve(127);
    });
  });
  const stop = () => {
    if (child.pid === undefined) return;
    const { pid } = child;
    signalGroup(pid, 'SIGTERM');
    void sleep(command.graceMs ?? 3_000, undefined, { ref: false }).then(() => signalGroup(pid, 'SIGKILL'));
  };
  signal.addEventListener('abort', stop, { once: true });
  const memory = watchMemory(child.pid);
  const exitCode = await ended;
  const seconds = (performance.now() - started) / 1_000;
  signal.removeEventListener('abort', stop);
  if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  await command.sweep?.();
  await Promise.race([output, silence(activity)]);
  child.stdout.destroy();
  child.stderr.destroy();
  await output;
  return { exitCode, stopped: signal.aborted, seconds, peakMemory: memory.stop() };
}

async function silence(activity: { readonly at: number }): Promise<void> {
  const ended = performance.now();
  while (performance.now() - ended < DRAIN_MS) {
    const quiet = performance.now() - Math.max(activity.at, ended);
    if (quiet >= SILENCE_MS) return;
    await sleep(SILENCE_MS / 3, undefined, { ref: false });
  }
}
