import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchMemory } from './memory.ts';
import { type Program, signalGroup, startTrusted } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

export interface RunnableCommand extends Pick<Program, 'argv' | 'cwd' | 'env' | 'oneStream'> {
  /** Who runs it. Without one it is a program of ours, with our rights. */
  readonly sandbox?: Sandbox;
  /** If it returns a promise, the stream pauses until that resolves. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => Promise<void> | void;
  /** Ends the command with its whole process group: SIGTERM, then SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  readonly graceMs?: number;
  /** Called when the command has ended: ends processes that have left its group. */
  readonly sweep?: () => Promise<void>;
}

export interface CommandResult {
  /** As in a shell: 128 + signal where a signal ended the command; 127 where it could not be started. */
  readonly exitCode: number;
  /** Ended by the abort signal. */
  readonly stopped: boolean;
  readonly seconds: number;
  /**
   * Most resident memory of its session, in bytes; undefined where the system does not show it or the command was too
   * short.
   */
  readonly peakMemory: number | undefined;
}

/**
 * After the command has ended, output that is silent for so long is held open by another process, and is not read
 * further.
 */
const SILENCE_MS = 300;
/** The limit for output that goes on after the end of the command. */
const DRAIN_MS = 15_000;

async function followStream(
  stream: Readable,
  name: 'stdout' | 'stderr',
  onOutput: RunnableCommand['onOutput'],
): Promise<void> {
  try {
    for await (const chunk of stream) await onOutput(name, chunk as Buffer);
  } catch {
    // Destroyed below: the command has ended and somebody else holds the pipe.
  }
}

/**
 * Runs a command in a process group of its own, which is dead when this resolves. Never rejects because of the command.
 */
export async function runCommand(command: RunnableCommand): Promise<CommandResult> {
  const { signal } = command;
  if (signal.aborted) return { exitCode: 143, stopped: true, seconds: 0, peakMemory: undefined };
  const started = performance.now();
  const { argv, cwd, env, oneStream = false, sandbox } = command;
  const program = { argv, cwd, env, oneStream };
  const running = sandbox ? sandbox.start(program) : startTrusted(program);
  const { pid, stdout, stderr } = running;
  const activity = { at: performance.now() };
  const onOutput: RunnableCommand['onOutput'] = async (stream, chunk) => {
    activity.at = Number.POSITIVE_INFINITY;
    await command.onOutput(stream, chunk);
    activity.at = performance.now();
  };
  const output = Promise.all([followStream(stdout, 'stdout', onOutput), followStream(stderr, 'stderr', onOutput)]);
  const stopCommand = () => {
    if (pid === undefined) return;
    signalGroup(pid, 'SIGTERM');
    void sleep(command.graceMs ?? 3_000, undefined, { ref: false }).then(() => signalGroup(pid, 'SIGKILL'));
  };
  signal.addEventListener('abort', stopCommand, { once: true });
  const memory = watchMemory(pid);
  const { exitCode, error } = await running.ended;
  if (error) void command.onOutput('stderr', Buffer.from(`${error.message}\n`));
  const seconds = (performance.now() - started) / 1_000;
  signal.removeEventListener('abort', stopCommand);
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  await command.sweep?.();
  await Promise.race([output, waitForSilence(activity)]);
  stdout.destroy();
  stderr.destroy();
  await output;
  return { exitCode, stopped: signal.aborted, seconds, peakMemory: memory.stop() };
}

async function waitForSilence(activity: { readonly at: number }): Promise<void> {
  const ended = performance.now();
  while (performance.now() - ended < DRAIN_MS) {
    const quiet = performance.now() - Math.max(activity.at, ended);
    if (quiet >= SILENCE_MS) return;
    await sleep(SILENCE_MS / 3, undefined, { ref: false });
  }
}

export interface Capture extends Pick<Program, 'argv' | 'cwd' | 'env'> {
  readonly sandbox: Sandbox;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** The output of a short program. Throws where it fails, takes too long or prints too much; it is dead then. */
export async function captureOutput({ sandbox, argv, cwd, env, maxBytes, timeoutMs }: Capture): Promise<Buffer> {
  const running = sandbox.start({ argv, cwd, env });
  const { pid } = running;
  const killCommand = () => pid !== undefined && signalGroup(pid, 'SIGKILL');
  const timer = setTimeout(killCommand, timeoutMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) killCommand();
    else chunks.push(chunk);
  });
  running.stderr.resume();
  const closed = new Promise<void>((resolve) => running.stdout.on('close', resolve));
  try {
    const { exitCode, error } = await running.ended;
    killCommand(); // processes that it has started would hold its output open
    await closed;
    if (exitCode !== 0 || bytes > maxBytes)
      throw new Error(`${argv[0]} ended with exit code ${exitCode}`, { cause: error });
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    running.stdout.destroy();
  }
}
