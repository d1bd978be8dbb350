import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isProcessId, readStatFields } from '../../builder-images/shared/proc-stat.ts';

/** Identifies a process when its pid may have been reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time, with the boot where the time counts from it. Compared, never read. */
  readonly started: string;
  /** SHA-256 of each `NAME=value` of the task, by which its processes are recognised after the first one has ended. */
  readonly marks: readonly string[];
}

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly started: string;
}

const run = promisify(execFile);
const isLinux = process.platform === 'linux';

type ProcessTable = ReadonlyMap<number, ProcessInfo>;
let underWay: Promise<ProcessTable> | undefined;
let following: Promise<ProcessTable> | undefined;

/**
 * Every visible process, at some moment after the call. On Linux from /proc, elsewhere from `ps`. Callers during a
 * reading share the next one, since many tasks may end at once, and each would read all processes.
 */
export function processTable(): Promise<ProcessTable> {
  if (!underWay) {
    underWay = readTable().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }
  following ??= underWay.then(
    () => startFollowing(),
    () => startFollowing(),
  );
  return following;
}

function startFollowing(): Promise<ProcessTable> {
  following = undefined;
  return processTable();
}

async function readTable(): Promise<ProcessTable> {
  const found = isLinux ? await linuxTable() : await psTable();
  return new Map(found.map((p) => [p.pid, p]));
}

async function linuxTable(): Promise<ProcessInfo[]> {
  return (await readdir('/proc')).filter(isProcessId).flatMap((pid) => {
    const info = readStat(pid);
    return info && !info.zombie ? [info] : [];
  });
}

let boot: string | undefined;
/** Start times count from the boot, so they cannot be compared after another boot. */
function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    boot = 'unknown';
  }
  return boot;
}

function readStat(pid: string | number): (ProcessInfo & { zombie: boolean }) | undefined {
  const fields = readStatFields(pid);
  if (!fields) return undefined;
  return {
    pid: Number(pid),
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    started: `${bootId()}/${fields[19]}`,
    zombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

const PS = ['-o', 'pid=,ppid=,pgid=,state=,lstart='];
const PS_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

async function psTable(): Promise<ProcessInfo[]> {
  const { stdout } = await run('ps', ['-A', ...PS], { env: PS_ENV, maxBuffer: 16 * 1024 * 1024 });
  return parsePs(stdout);
}

const parsePs = (output: string): ProcessInfo[] =>
  output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    if (!match || match[4]!.startsWith('Z')) return [];
    return [{ pid: Number(match[1]), ppid: Number(match[2]), pgid: Number(match[3]), started: match[5]! }];
  });

const markOf = (variable: string) => createHash('sha256').update(variable).digest('hex');

/**
 * Identifies a child that was just started. Synchronous, so that nothing happens between its start and this record.
 * @param given The variables that only this task has.
 */
export function identifyProcess(pid: number, given: Readonly<Record<string, string>>): ProcessIdentity {
  const info = isLinux
    ? readStat(pid)
    : parsePs(execFileSync('ps', ['-p', String(pid), ...PS], { env: PS_ENV, encoding: 'utf8' }))[0];
  const marks = Object.entries(given).map(([name, value]) => markOf(`${name}=${value}`));
  return { pid, started: info?.started ?? 'ended at once', marks };
}

/**
 * The processes of a task: its first process and the group of that, all their children, and what was seen of them before
 * (`known`, pid → start time), since a child whose parent has ended no longer shows whose it was.
 */
export function familyOf(
  table: ProcessTable,
  leader: ProcessIdentity,
  known: ReadonlyMap<number, string>,
): ProcessInfo[] {
  const leads = table.get(leader.pid)?.started === leader.started;
  const isMember = ({ pid, pgid, started }: ProcessInfo) =>
    known.get(pid) === started || (leads && (pid === leader.pid || pgid === leader.pid));
  const family = new Map([...table].filter(([, info]) => isMember(info)));
  const children = new Map<number, ProcessInfo[]>();
  for (const info of table.values()) children.set(info.ppid, [...(children.get(info.ppid) ?? []), info]);
  const open = [...family.keys()];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    for (const child of children.get(pid) ?? [])
      if (!family.has(child.pid)) {
        family.set(child.pid, child);
        open.push(child.pid);
      }
  family.delete(process.pid);
  return [...family.values()];
}

/**
 * Members of the group whose leader has ended. Linux keeps a number from being used again while a group has it, but the
 * whole group may have ended and another have come; so each must carry the task's own variables.
 */
export async function orphansOf(table: ProcessTable, leader: ProcessIdentity): Promise<ProcessInfo[]> {
  if (!isLinux || leader.marks.length === 0) return [];
  const members = [...table.values()].filter(({ pgid }) => pgid === leader.pid);
  const checked = await Promise.all(
    members.map(async (info) => {
      const environ = await readFile(`/proc/${info.pid}/environ`, 'utf8').catch(() => '');
      const marks = new Set(environ.split('\0').map(markOf));
      return leader.marks.every((m) => marks.has(m)) ? info : undefined;
    }),
  );
  return checked.filter((info) => info !== undefined);
}

export function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended, or it is a program that changed its user; both need nothing here.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

const ROUNDS = 50;

/** Kills until no process of the task is left; one that forks meanwhile is found in the next round. */
export async function killFamily(leader: ProcessIdentity, known: Map<number, string> = new Map()): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const table = await processTable();
    if (round === 0) for (const orphan of await orphansOf(table, leader)) known.set(orphan.pid, orphan.started);
    const family = familyOf(table, leader, known);
    if (family.length === 0) return;
    // The whole group at once where it surely is the task's, so that a fork bomb cannot escape between two rounds.
    if (family.some(({ pid }) => pid === leader.pid)) signalProcess(-leader.pid, 'SIGKILL');
    for (const { pid, started } of family) {
      known.set(pid, started);
      signalProcess(pid, 'SIGKILL');
    }
    await new Promise((resolve) => setTimeout(resolve, round < 5 ? 10 : 100));
  }
}
