import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A repository's temporary folder is named after the process that made it, so that others can see whether it is needed. */
export const gitFolderPrefix = (): string => `veren-git-${process.pid}-`;

const NAMED = /^veren-git-(?:(\d+)-)?[A-Za-z0-9]{6}$/;
/** Folders of the version that did not name them; no analysis takes so long. */
const MAX_AGE_MS = 24 * 60 * 60 * 1_000;

/**
 * Removes folders that analyses left in `workDir` when their process was killed. Call it before this process makes any:
 * a folder with its process id is then an earlier process's. Folders of other users and of live processes stay. Never
 * throws.
 */
export async function sweepGitFolders(workDir: string): Promise<void> {
  for (const name of await readdir(workDir).catch(() => [])) {
    const match = NAMED.exec(name);
    if (!match) continue;
    const path = join(workDir, name);
    const found = await lstat(path).catch(() => undefined);
    // A folder of ours cannot be replaced by another user's, also not in a folder that everybody may write to.
    if (!found?.isDirectory() || found.uid !== process.getuid?.()) continue;
    const left = match[1] === undefined ? Date.now() - found.mtimeMs > MAX_AGE_MS : !isOthersAlive(Number(match[1]));
    if (left) await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

function isOthersAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
