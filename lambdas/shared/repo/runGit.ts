import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findGit } from './findGit.ts';

/** A folder that is a git repository of ours, and the environment in which git runs there. */
export interface GitFolder {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: GitProcessLimits;
}

/** Limits that the kernel applies to every git process; each helper process has them for itself. */
export interface GitProcessLimits {
  /** Address space. macOS accepts the limit but does not apply it. */
  readonly memoryBytes: number;
  /** Size of any file that is written. */
  readonly fileBytes: number;
  readonly cpuSeconds: number;
}

export type GitResult =
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'stopped'; readonly by: 'timeout' | 'bytes' | 'signal' };

export interface RunLimits {
  readonly deadline: AbortSignal;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that may be received, and that the folder's packs may grow to. */
  readonly maxPackBytes: number;
  /** Bytes of git's output that are kept. @default - enough for messages and object ids */
  readonly maxOutput?: number | undefined;
}

/** How much of git's output is kept where nothing is said: messages and one object id are read from it. */
const MAX_OUTPUT = 64 * 1024;
/** How much git may write in all, since the host's messages pass through its standard error. */
const MAX_SAID = 32 * 1024 * 1024;
const WATCH_MS = 50;

/**
 * `ulimit` of the shell rather than prlimit(1), which macOS and small images do not have. A limit that the system does
 * not know, or that is lower already, is no reason not to start. `-f` counts blocks of 512 bytes. Source: POSIX, `ulimit`.
 */
const LIMITED = '{ ulimit -c 0; ulimit -v "$1"; ulimit -f "$2"; ulimit -S -t "$3"; } 2>/dev/null; shift 3; exec "$@"';

/** Called with each child that is started, and with the promise of its end. */
export type ChildWatcher = (pid: number, ended: Promise<unknown>) => void;
let watchChild: ChildWatcher | undefined;
/** For a thread that may be terminated: whoever does that has to end its children too. */
export function watchChildren(watcher: ChildWatcher): void {
  watchChild = watcher;
}

/**
 * Starts git, within the folder's limits and in a process group of its own, so that its transport helpers can be ended
 * together with it. Throws GIT_MISSING.
 */
export function startGit(folder: GitFolder, args: readonly string[]): ChildProcessWithoutNullStreams {
  const { memoryBytes, fileBytes, cpuSeconds } = folder.limits;
  const numbers = [memoryBytes / 1024, fileBytes / 512, cpuSeconds].map((n) => String(Math.ceil(n)));
  const child = spawn('/bin/sh', ['-c', LIMITED, 'sh', ...numbers, findGit(folder.env.PATH), ...args], {
    cwd: folder.path,
    env: { ...folder.env },
    detached: true,
  });
  // The child has ended before it read everything; its exit code shows why.
  child.stdin.on('error', () => {});
  if (child.pid !== undefined) watchChild?.(child.pid, new Promise((ended) => child.once('exit', ended)));
  return child;
}

export function killGroup(child: { readonly pid?: number | undefined }): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** Exit code once all output has been read; -1 where it was killed or could not be started. Never rejects. */
export const waitForClose = (child: ChildProcess): Promise<number> =>
  once(child, 'close').then(
    ([code]) => (code as number | null) ?? -1,
    () => -1,
  );

/**
 * Calls `stop` when the time is up or the caller has aborted, also before this call. @returns a function that ends the
 * watching
 */
export function onAbort(limits: RunLimits, stop: (by: 'timeout' | 'signal') => void): () => void {
  const onDeadline = () => stop('timeout');
  const onSignal = () => stop('signal');
  if (limits.deadline.aborted) onDeadline();
  if (limits.signal?.aborted) onSignal();
  limits.deadline.addEventListener('abort', onDeadline, { once: true });
  limits.signal?.addEventListener('abort', onSignal, { once: true });
  return () => {
    limits.deadline.removeEventListener('abort', onDeadline);
    limits.signal?.removeEventListener('abort', onSignal);
  };
}

/** Runs git to its end, within limits. Rejects only where git cannot be started. */
export function runGit(folder: GitFolder, args: readonly string[], limits: RunLimits): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    if (limits.deadline.aborted) return resolve({ kind: 'stopped', by: 'timeout' });
    if (limits.signal?.aborted) return resolve({ kind: 'stopped', by: 'signal' });
    const child = startGit(folder, args);
    let stopped: 'timeout' | 'bytes' | 'signal' | undefined;
    const stopGit = (by: 'timeout' | 'bytes' | 'signal') => {
      stopped ??= by;
      killGroup(child);
    };
    const unwatch = onAbort(limits, stopGit);
    const watch = setInterval(async () => {
      if ((await packBytes(folder)) > limits.maxPackBytes) stopGit('bytes');
    }, WATCH_MS);
    const finishRun = () => {
      clearInterval(watch);
      unwatch();
    };
    const tooMuch = () => stopGit('bytes');
    const stdout = collectOutput(child.stdout, tooMuch, limits.maxOutput);
    const stderr = collectOutput(child.stderr, tooMuch);
    child.on('error', (error) => {
      finishRun();
      reject(error);
    });
    child.on('close', async (code) => {
      finishRun();
      if (stopped === undefined && (await packBytes(folder)) > limits.maxPackBytes) stopped = 'bytes';
      if (stopped !== undefined) resolve({ kind: 'stopped', by: stopped });
      else resolve({ kind: 'exit', code: code ?? -1, stdout: stdout(), stderr: stderr() });
    });
    child.stdin.end();
  });
}

/** Keeps the first part of a stream and lets the rest pass, up to a limit. */
export function collectOutput(
  stream: NodeJS.ReadableStream,
  tooMuch: () => void,
  maxOutput = MAX_OUTPUT,
): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < maxOutput) chunks.push(Buffer.from(chunk.subarray(0, maxOutput - size)));
    size += chunk.length;
    if (size > MAX_SAID) tooMuch();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** What git has received so far, the pack that is being written included. */
async function packBytes(folder: GitFolder): Promise<number> {
  const dir = join(folder.path, 'objects', 'pack');
  let sum = 0;
  for (const name of await readdir(dir).catch(() => []))
    sum += await stat(join(dir, name)).then(
      (s) => s.size,
      () => 0,
    );
  return sum;
}
