import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree, startAsUser } from '../../builder-images/shared/processes.ts';

/** Folders of the system that everybody may write to, and such folders inside them. */
const OPEN_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run/lock', '/run/shm'] as const;
/** Tables of /proc/sysvipc: their column with the number, and the option of ipcrm that takes it. */
const IPC = {
  shm: { column: 'shmid', option: '--shmem-id' },
  msg: { column: 'msqid', option: '--queue-id' },
  sem: { column: 'semid', option: '--semaphore-id' },
} as const;

/**
 * Removes what builds have left outside of their work folder: files in folders that everybody may write to, and shared
 * memory, queues and semaphores, which outlive their processes. A later build could get the same user. Call it when no
 * process of these users is alive, so that none can replace a folder by a link.
 */
export async function removeLeftFiles(owns: (uid: number) => boolean): Promise<void> {
  for (const folder of new Set([...OPEN_FOLDERS, tmpdir()])) await removeOwned(folder, owns, 1);
  for (const [uid, ids] of leftIpc(owns)) await removeIpc(uid, ids);
}

const listNames = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or not on this system
  }
};

async function removeOwned(folder: string, owns: (uid: number) => boolean, deeper: number): Promise<void> {
  for (const name of listNames(folder)) {
    const path = join(folder, name);
    const info = lstatSync(path, { throwIfNoEntry: false });
    if (!info) continue;
    if (owns(info.uid)) await removeTree(path);
    else if (deeper > 0 && info.isDirectory() && (info.mode & 0o002) !== 0) await removeOwned(path, owns, deeper - 1);
  }
}

/** By user: arguments of ipcrm. Source: proc_sysvipc(5), whose first line names the columns. */
function leftIpc(owns: (uid: number) => boolean): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const [kind, { column, option }] of Object.entries(IPC)) {
    const [head = [], ...rows] = readTable(`/proc/sysvipc/${kind}`);
    const [id, uid] = [head.indexOf(column), head.indexOf('uid')];
    for (const row of rows) {
      const owner = Number(row[uid]);
      if (id !== -1 && uid !== -1 && owns(owner)) found.set(owner, [...(found.get(owner) ?? []), option, row[id]!]);
    }
  }
  return found;
}

function readTable(file: string): string[][] {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

/** Runs as the user itself, which may remove only its own objects. */
async function removeIpc(uid: number, ids: readonly string[]): Promise<void> {
  const running = startAsUser(
    { uid, gid: uid, maxProcesses: null },
    { argv: ['ipcrm', ...ids], cwd: '/', env: { PATH: '/usr/bin:/bin' } },
  );
  running.stdout.resume();
  running.stderr.resume();
  await running.ended;
}
