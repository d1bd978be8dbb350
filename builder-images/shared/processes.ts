import { spawn, spawnSync } from 'node:child_process';
import { isAbsolute } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { programPath } from './programs.ts';

/**
 * Starts every process of the builders; no other module imports node:child_process, which a test checks. Programs that
 * run as root are named by an absolute path and get an environment of ours. Values that the repository chooses (a
 * command, a variable, a folder) reach only processes that have given up root already.
 */
export interface Program {
  /** For `startTrusted` an absolute path; for `startAsUser` also a name, which is looked for on `env.PATH` after the drop. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is added to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Its standard input is `input` of what is returned; otherwise it is empty. */
  readonly hasInput?: boolean;
  /** What it writes to standard error comes on `stdout`, in the order in which it was written (`2>&1`). */
  readonly oneStream?: boolean;
  /** Kills the program with its process group. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunningProgram {
  /** Also the id of its process group and session. Undefined where it could not be started. */
  readonly pid: number | undefined;
  /** Null where the program has no input. */
  readonly input: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** As in a shell: 128 + signal where a signal ended the program; 127 where it could not be started. */
  readonly ended: Promise<{ readonly exitCode: number; readonly error?: Error }>;
}

/** The user that runs code from a repository, where the builder is root. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Processes and threads that it may have at once; null: no limit. */
  readonly maxProcesses: number | null;
  /** Files and connections that each of its processes may have open. @default - as many as the builder may */
  readonly maxFiles?: number | undefined;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
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

/** Running process groups. They are ended together with this process, however it ends, except by SIGKILL. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
});

interface Start {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The content of standard input; null: it is `input`, or empty. */
  readonly script: string | null;
  readonly hasInput: boolean;
  readonly signal: AbortSignal | undefined;
}

function startProcess({ file, args, cwd, env, script, hasInput, signal }: Start): RunningProgram {
  const first = script !== null || hasInput ? 'pipe' : 'ignore';
  // With a script on standard input, the program's own input is file descriptor 3.
  const stdio = script !== null && hasInput ? [first, 'pipe', 'pipe', 'pipe'] : [first, 'pipe', 'pipe'];
  const child = spawn(file, [...args], { cwd, env, detached: true, stdio: stdio as 'pipe'[] });
  const inputs = [child.stdin, child.stdio[3] as Writable | undefined].filter((stream) => stream != null);
  for (const stream of inputs) stream.on('error', () => undefined); // it has ended without reading everything
  if (script !== null) child.stdin.end(script);
  const killProcess = () => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL');
  signal?.addEventListener('abort', killProcess, { once: true });
  if (signal?.aborted) killProcess();
  const ended = new Promise<{ exitCode: number; error?: Error }>((resolve) => {
    child.on('exit', (code, by) => resolve({ exitCode: code ?? 128 + (SIGNALS[by ?? ''] ?? 0) }));
    child.on('error', (error) => resolve({ exitCode: 127, error }));
  });
  if (child.pid !== undefined) groups.add(child.pid);
  void ended.then(() => {
    signal?.removeEventListener('abort', killProcess);
    if (child.pid !== undefined) groups.delete(child.pid);
  });
  return {
    pid: child.pid,
    input: hasInput ? (inputs.at(-1) ?? null) : null,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
  };
}

/** Starts a program as the user that the builder runs as. Throws where it is not named by an absolute path. */
export function startTrusted(program: Program): RunningProgram {
  if (!isAbsolute(program.argv[0])) throw new Error(`${program.argv[0]} is not an absolute path`);
  return startAsSelf(program);
}

/** Runs a short program of ours synchronously and returns its exit code. */
export function runTrusted({ argv, cwd, env }: Program, timeoutMs: number): number {
  const [file, ...args] = argv;
  if (!isAbsolute(file)) throw new Error(`${file} is not an absolute path`);
  const { status } = spawnSync(file, args, { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL', stdio: 'ignore' });
  return status ?? 137;
}

const quoteWord = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The script that the build user's shell reads from its standard input. It holds all values that the repository has
 * chosen, so that they are in no argument and no environment of a process that is still root. `command` keeps a shell
 * that has read-only variables (bash: UID) from ending.
 */
function launchScript({ argv, cwd, env, hasInput, oneStream }: Program): string {
  const variables = Object.entries(env).map(
    ([name, value]) => `command export ${name}=${quoteWord(value)} 2>/dev/null\n`,
  );
  const input = hasInput ? '<&3 3<&-' : '</dev/null';
  const output = oneStream ? ' 2>&1' : '';
  return `umask 022\ncd -- ${quoteWord(cwd)} || exit 127\nunset OLDPWD\n${variables.join('')}exec ${argv.map(quoteWord).join(' ')} ${input}${output}\n`;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Starts a program as the build user: root's part is `prlimit` and `setpriv`, with an empty environment, in `/`. */
export function startAsUser(user: ProcessUser, program: Program): RunningProgram {
  const strange = Object.keys(program.env).find((name) => !VARIABLE.test(name));
  if (strange !== undefined) throw new Error(`${strange} is not the name of a variable`);
  return startProcess({
    file: programPath('prlimit'),
    args: [...limitArguments(user), programPath('setpriv'), ...dropArguments(user), programPath('sh')],
    cwd: '/',
    env: {},
    script: launchScript(program),
    hasInput: program.hasInput === true,
    signal: program.signal,
  });
}

const limitArguments = ({ maxProcesses, maxFiles }: ProcessUser) => [
  ...(maxProcesses === null ? [] : [`--nproc=${maxProcesses}`]),
  ...(maxFiles === undefined ? [] : [`--nofile=${maxFiles}`]),
  '--core=0',
  '--',
];
const dropArguments = ({ uid, gid }: ProcessUser) => [
  '--reuid',
  `${uid}`,
  '--regid',
  `${gid}`,
  '--clear-groups',
  '--no-new-privs',
  '--',
];

/** Starts a program without changing the user (laptop without root): with the same rights, in a clean environment. */
export function startAsSelf({ argv, cwd, env, hasInput = false, oneStream, signal }: Program): RunningProgram {
  // Node can give a child one pipe for input and output, but not one for both outputs.
  const [file, ...args] = oneStream ? [programPath('sh'), '-c', 'exec "$0" "$@" 2>&1', ...argv] : argv;
  return startProcess({ file, args, cwd, env, script: null, hasInput, signal });
}

/** Removes a tree without following a link that somebody puts in its place meanwhile, as `fs.rm` may. */
export async function removeTree(path: string): Promise<void> {
  if (!isAbsolute(path)) throw new Error(`${path} is not an absolute path`);
  const program = startTrusted({ argv: [programPath('rm'), '-rf', '--', path], cwd: '/', env: {} });
  program.stdout.resume();
  program.stderr.resume();
  await program.ended;
}
