import { chmod, lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import type { BuildUsers } from './buildUsers.ts';

const EVERYBODY_WRITES = 0o002;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** A path and every folder on the way to it, the root first. */
function wayTo(path: string): string[] {
  const up = dirname(path);
  return up === path ? [path] : [...wayTo(up), path];
}

/**
 * Makes sure that no build can replace files that the platform later reads or runs as root. Throws DATA_FOLDER_UNUSABLE
 * where that is not possible. Call it before anything in the folder is opened.
 */
export async function secureDataFolder(dataDir: string, users: BuildUsers): Promise<void> {
  if (users.warning !== undefined) return; // builds run as the same user
  process.umask(process.umask() | OTHERS_WRITE);
  const unusableFolder = (reason: string) => new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason });
  const real = await realpath(dataDir);
  for (const path of new Set([...wayTo(dataDir), ...wayTo(real)])) {
    const info = await lstat(path);
    if (users.owns(info.uid)) throw unusableFolder(`${path} belongs to a build`);
    if (info.isSymbolicLink() || (info.mode & EVERYBODY_WRITES) === 0) continue;
    if (path === real ? (info.mode & STICKY) !== 0 : (info.mode & STICKY) === 0)
      throw unusableFolder(`everybody may write to ${path}, so a build could put another folder in its place`);
  }
  const { mode } = await lstat(real);
  if ((mode & OTHERS_WRITE) !== 0) await chmod(real, mode & 0o7777 & ~OTHERS_WRITE);
  for (const name of await readdir(real))
    if (users.owns((await lstat(join(real, name))).uid)) throw unusableFolder(`${name} in it belongs to a build`);
}

/**
 * Opens a folder that is ours by its name: earlier versions closed the demo's folder when `npm start` ran around it.
 */
export async function openToBuilds(dataDir: string): Promise<void> {
  const info = await lstat(dataDir).catch(() => null);
  if (info?.isDirectory() && info.uid === process.getuid?.() && (info.mode & 0o777) === 0o700)
    await chmod(dataDir, 0o755);
}
