import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where memory looks like files: what is written there is in no process. */
const MEMORY_FOLDER = '/dev/shm';
/** So many files of one user are looked at, in folders that are at most so deep. */
const LOOKED_AT = { files: 2_000, depth: 4 } as const;
const BLOCK = 512;
const KILOBYTE = 1_024;

/**
 * Bytes of memory that processes hold: what each has alone, and what they share, once. Where they have a user of their
 * own, also shared memory that none of them has mapped: files in /dev/shm, and segments of System V. Null on another
 * system than Linux. Sources: proc_pid_status(5), proc_pid_smaps(5), proc_sysvipc(5).
 */
export async function memoryOf(pids: readonly number[], uid?: number): Promise<number | null> {
  let alone = 0;
  let mapped = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    alone += kilobytes(status, 'RssAnon');
    if (kilobytes(status, 'RssShmem') > 0) mapped += await shareOf(pid, kilobytes(status, 'RssShmem'));
  }
  if (alone === 0) return null;
  const unmapped = uid === undefined ? 0 : (await filesOf(uid)) + (await segmentsOf(uid));
  // What is mapped may be the same memory as these files and segments.
  return alone + Math.max(mapped, unmapped);
}

function kilobytes(text: string, field: string): number {
  const [, count = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text) ?? [];
  return Number(count) * KILOBYTE;
}

/** A process's part of the memory that it shares, so that the sum of all parts counts each page once. */
async function shareOf(pid: number, whole: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return /^Pss_Shmem:/m.test(rollup) ? kilobytes(rollup, 'Pss_Shmem') : whole;
}

async function filesOf(uid: number): Promise<number> {
  let left: number = LOOKED_AT.files;
  const sum = async (folder: string, depth: number): Promise<number> => {
    let bytes = 0;
    for (const name of await readdir(folder).catch((): string[] => [])) {
      const info = await lstat(join(folder, name)).catch(() => null);
      if (info?.uid !== uid || left-- <= 0) continue;
      bytes += info.isDirectory() && depth > 0 ? await sum(join(folder, name), depth - 1) : info.blocks * BLOCK;
    }
    return bytes;
  };
  return sum(MEMORY_FOLDER, LOOKED_AT.depth);
}

async function segmentsOf(uid: number): Promise<number> {
  const table = await readFile('/proc/sysvipc/shm', 'utf8').catch(() => '');
  const [head = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const [owner, rss, swap] = ['uid', 'rss', 'swap'].map((name) => head.indexOf(name)) as [number, number, number];
  return rows
    .filter((row) => Number(row[owner]) === uid)
    .reduce((bytes, row) => bytes + (Number(row[rss]) || 0) + (Number(row[swap]) || 0), 0);
}
