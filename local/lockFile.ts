import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { readStatFields } from '../builder-images/shared/proc-stat.ts';

/** Files that this process has locked, to distinguish a second lock from a stale file with the same pid. */
const held = new Set<string>();

/** Unlocks what was locked. */
export type Unlock = () => Promise<void>;

/**
 * Locks a file for this process. A lock is replaced where its process is dead, or where another process has its pid now.
 * @returns the function that unlocks it, or the pid of the process that has it
 */
export async function lockFile(path: string): Promise<Unlock | number> {
  if (held.has(path)) return process.pid;
  held.add(path);
  const own = `${path}.${process.pid}`;
  let holder: number | null = null;
  try {
    await writeFile(own, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 });
    // A link appears together with its content, so that no process reads a half-written lock.
    while (holder === null && !(await linkFile(own, path))) holder = await removeIfStale(path);
  } catch (e) {
    held.delete(path);
    throw e;
  } finally {
    await rm(own, { force: true });
  }
  if (holder !== null) {
    held.delete(path);
    return holder;
  }
  return async () => {
    await rm(path, { force: true });
    held.delete(path);
  };
}

/** The living process, other than this one, that has a lock; null for none. */
export async function findHolder(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? null : holderOf(text);
}

async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
}

/** @returns the pid of the living process that has the lock, else null */
async function removeIfStale(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null; // unlocked at this moment
  const pid = holderOf(text);
  if (pid !== null) return pid;
  // Two processes may see the same stale lock. The rename shows which file was taken: a fresh lock is put back.
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return null; // the other process was first
    throw e;
  }
  if ((await readFile(aside, 'utf8')) !== text) await linkFile(aside, path);
  await rm(aside, { force: true });
  return null;
}

/** The pid in a lock file where that process still lives, else null. */
function holderOf(text: string): number | null {
  try {
    const { pid, started } = JSON.parse(text) as { pid: number; started: string | null };
    if (pid === process.pid) return null; // not held by us (see `held`): a container that was restarted
    process.kill(pid, 0);
    return startOf(pid) === started ? pid : null;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM' ? (JSON.parse(text) as { pid: number }).pid : null;
  }
}

/** When a process started, in ticks since boot (Linux, proc_pid_stat(5) field 22): tells a pid from its reuse. */
function startOf(pid: number): string | null {
  return readStatFields(pid)?.[19] ?? null;
}
