import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endUsers } from './endUsers.ts';
import {
  type ProcessUser,
  type Program,
  type RunningProgram,
  startAsSelf,
  startAsUser,
  startTrusted,
} from './processes.ts';
import { programPath } from './programs.ts';

/** Runs commands as a user who can neither read nor stop the builder, and ends all processes that they have left. */
export interface Sandbox {
  /** Owner of files that the commands make; undefined where they run as the builder's own user. */
  readonly uid: number | undefined;
  /** Starts a program of the build's. */
  start(program: Program): RunningProgram;
  /** Ends every process of the build. Throws where one survives: then nothing may be published. */
  killAll(): Promise<void>;
}

export interface SandboxOptions {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly maxProcesses: number;
  /** Files that each process may have open; counts where there is a uid. @default - as many as the builder may */
  readonly maxFiles?: number | undefined;
  /** `NAME=value` in the environment of every process: finds those of a build without a uid of its own. Empty: none. */
  readonly cookie: string;
}

/** Processes of `/proc` that match. Where there is no `/proc` (macOS): none. */
function listProcesses(matches: (pid: number) => boolean): number[] {
  if (!existsSync('/proc/self/status')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return matches(pid);
      } catch {
        return false; // it has ended, or we may not read it
      }
    });
}

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');
/** A process whose first thread has ended looks like a zombie too, and its other threads work on. */
const isZombie = (text: string) => /^State:\s+[ZX]/m.test(text) && /^Threads:\s+[01]$/m.test(text);
/** Real, effective, saved, of files. */
const uidsOf = (text: string) => /^Uid:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? [];

const ROUNDS = 100;
/** How often in a row no process may be found, where one may be missed. */
const LOOKS = 20;
const pauseAfter = (round: number) => sleep(Math.min(2 * round, 50));
const notEnded = () => new Error('processes of the build could not be ended');

function killEach(pids: number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
}

/**
 * Ends all processes of users, as root. All are ended before any is looked for: one that forks and ends, again and again,
 * is in no list.
 */
export async function endProcessesOf(first: number, last = first): Promise<void> {
  const isAlive = (pid: number) => {
    const status = statusOf(pid);
    return !isZombie(status) && uidsOf(status).some((uid) => uid >= first && uid <= last);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const argv = [...endUsers(programPath('setpriv')), `${first}`, `${last}`] as const;
    const ending = startTrusted({ argv, cwd: '/', env: {} });
    ending.stdout.resume();
    ending.stderr.resume();
    // An image build that ends early may leave a system in which that cannot be started: then root looks again and again.
    const looks = (await ending.ended).exitCode === 0 ? 1 : LOOKS;
    let left: number[] = [];
    for (let look = 0; look < looks && left.length === 0; look++) left = listProcesses(isAlive);
    if (left.length === 0) return;
    killEach(left);
    await pauseAfter(round);
  }
  throw notEnded();
}

const userSandbox = (user: ProcessUser): Sandbox => ({
  uid: user.uid,
  start: (program) => startAsUser(user, program),
  killAll: () => endProcessesOf(user.uid),
});

/**
 * Without one (a laptop): the process groups are ended by `runCommand`; what left its group is found by the cookie in its
 * environment, on Linux. This finds forgotten daemons, but not a build that hides: docs/decisions/builder-isolation.md.
 */
function cookieSandbox(cookie: string): Sandbox {
  const isMarked = (pid: number) =>
    cookie !== '' && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(cookie);
  const name = cookie.split('=', 1)[0]!;
  const value = cookie.slice(name.length + 1);
  return {
    uid: undefined,
    start: ({ env, ...program }) => startAsSelf({ ...program, env: cookie === '' ? env : { ...env, [name]: value } }),
    async killAll() {
      for (let round = 0; round < ROUNDS; round++) {
        const left = listProcesses((pid) => isMarked(pid) && !isZombie(statusOf(pid)));
        if (left.length === 0) return;
        killEach(left);
        await pauseAfter(round);
      }
      throw notEnded();
    },
  };
}

export function createSandbox(options: SandboxOptions): Sandbox {
  if (options.uid === undefined || process.getuid?.() !== 0) return cookieSandbox(options.cookie);
  const { uid, gid = uid, maxProcesses, maxFiles } = options;
  return userSandbox({ uid, gid, maxProcesses, maxFiles });
}
