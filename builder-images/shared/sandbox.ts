import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs commands as somebody who can neither read nor stop the builder, and ends everything that they left behind. */
export interface Sandbox {
  /** Owner of what the commands make; undefined where they run as we do. */
  readonly uid: number | undefined;
  wrap(argv: readonly string[]): [string, ...string[]];
  /** Ends every process of the build. Throws where one survives: then nothing may be published. */
  killAll(): Promise<void>;
}

export interface SandboxOptions {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly maxProcesses: number;
  /** `NAME=value` that every command has in its environment: finds the processes of a build without a uid of its own. */
  readonly cookie: string;
}

/** Processes of `/proc` that match. Where there is no `/proc` (macOS): none. */
function processes(matches: (pid: number) => boolean): number[] {
  if (!existsSync('/proc/self/status')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return matches(pid);
      } catch {
        return false; // ended meanwhile, or not ours to read
      }
    });
}

const status = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');
/** A process whose first thread has ended looks like a zombie too, and its other threads work on. */
const isZombie = (text: string) => /^State:\s+[ZX]/m.test(text) && /^Threads:\s+[01]$/m.test(text);
const hasUid = (text: string, uid: number) => new RegExp(`^Uid:.*\\b${uid}\\b`, 'm').test(text);

async function untilNone(find: () => number[], kill: (pids: number[]) => Promise<void> | void): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const left = find();
    if (left.length === 0) return;
    await kill(left);
    await sleep(Math.min(2 * round, 50));
  }
  throw new Error('processes of the build could not be ended');
}

function killEach(pids: number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
}

/** With a uid: root drops to it. One signal to -1 reaches all of its processes at once, which a fork bomb cannot outrun. */
function userSandbox(uid: number, gid: number, maxProcesses: number): Sandbox {
  const as = ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups', '--no-new-privs', '--'] as const;
  const killUser = () =>
    new Promise<void>((resolve) => {
      const child = spawn(as[0], [...as.slice(1), '/bin/sh', '-c', 'kill -KILL -1'], { stdio: 'ignore', env: {} });
      child.on('error', () => resolve()).on('exit', () => resolve());
    });
  return {
    uid,
    wrap: (argv) => ['prlimit', `--nproc=${maxProcesses}`, '--core=0', '--', ...as, ...argv],
    killAll: () =>
      untilNone(
        () => processes((pid) => hasUid(status(pid), uid) && !isZombie(status(pid))),
        async (left) => {
          await killUser();
          killEach(left);
        },
      ),
  };
}

/**
 * Without one (a laptop): the process groups are ended by `runCommand`; what left its group is found by the cookie in its
 * environment, on Linux. Good against forgotten daemons, not against a build that hides: see docs/decisions.
 */
function cookieSandbox(cookie: string): Sandbox {
  const marked = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(cookie);
  return {
    uid: undefined,
    wrap: (argv) => [...argv] as [string, ...string[]],
    killAll: () => untilNone(() => processes((pid) => marked(pid) && !isZombie(status(pid))), killEach),
  };
}

export function createSandbox(options: SandboxOptions): Sandbox {
  if (options.uid === undefined || process.getuid?.() !== 0) return cookieSandbox(options.cookie);
  return userSandbox(options.uid, options.gid ?? options.uid, options.maxProcesses);
}
