import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that is a git repository of ours, and the environment in which git runs there. */
export interface GitFolder {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

export type GitResult =
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'stopped'; readonly by: 'timeout' | 'bytes' | 'signal' };

export interface RunLimits {
  readonly deadline: AbortSignal;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that the folder's packs may grow to. */
  readonly maxPackBytes: number;
}

const MAX_OUTPUT = 1024 * 1024;
const WATCH_MS = 50;

/** Starts git in its own process group, so that its transport helpers can be ended together with it. */
export function startGit(folder: GitFolder, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn('git', args, { cwd: folder.path, env: { ...folder.env }, detached: true });
  // A child that has ended while we write: its exit tells the story.
  child.stdin.on('error', () => {});
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

/** Runs git to its end, within limits. Rejects only where git cannot be started. */
export function runGit(folder: GitFolder, args: readonly string[], limits: RunLimits): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    if (limits.deadline.aborted) return resolve({ kind: 'stopped', by: 'timeout' });
    if (limits.signal?.aborted) return resolve({ kind: 'stopped', by: 'signal' });
    const child = startGit(folder, args);
    let stopped: 'timeout' | 'bytes' | 'signal' | undefined;
    const stop = (by: 'timeout' | 'bytes' | 'signal') => {
      stopped ??= by;
      killGroup(child);
    };
    const onDeadline = () => stop('timeout');
    const onSignal = () => stop('signal');
    limits.deadline.addEventListener('abort', onDeadline, { once: true });
    limits.signal?.addEventListener('abort', onSignal, { once: true });
    const watch = setInterval(async () => {
      if ((await packBytes(folder)) > limits.maxPackBytes) stop('bytes');
    }, WATCH_MS);
    const done = () => {
      clearInterval(watch);
      limits.deadline.removeEventListener('abort', onDeadline);
      limits.signal?.removeEventListener('abort', onSignal);
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', async (code) => {
      done();
      if (stopped === undefined && (await packBytes(folder)) > limits.maxPackBytes) stopped = 'bytes';
      if (stopped !== undefined) resolve({ kind: 'stopped', by: stopped });
      else resolve({ kind: 'exit', code: code ?? -1, stdout: stdout(), stderr: stderr() });
    });
    child.stdin.end();
  });
}

/** Keeps the first part of a stream and lets the rest pass. */
export function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < MAX_OUTPUT) chunks.push(chunk.subarray(0, MAX_OUTPUT - size));
    size += chunk.length;
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
