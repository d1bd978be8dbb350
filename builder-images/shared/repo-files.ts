import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { VerenError } from '../../contract/errors.ts';

/** A folder of the repository, as an absolute path. Throws `VerenError('PATH_NOT_FOUND')`, for a link out of it too. */
export async function repoFolder(source: string, path: string): Promise<string> {
  const root = await realpath(source);
  const folder = await realpath(join(root, path)).catch(() => null);
  const inside = folder !== null && (folder === root || folder.startsWith(root + sep));
  if (!inside || !(await stat(folder)).isDirectory()) throw new VerenError('PATH_NOT_FOUND', { path });
  return folder;
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Larger than any manifest that a person or a tool writes. */
const MAX_BYTES = 4 * 1_024 * 1_024;

/** A small text file of the repository. Throws for a link, a pipe, a device and for what is too large: they may never end. */
export async function readRepoFile(path: string, maxBytes = MAX_BYTES): Promise<string> {
  const file = await open(path, FLAGS);
  try {
    const info = await file.stat();
    if (!info.isFile() || info.size > maxBytes) throw new Error(`${path} is not a small file`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
