import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';

/** A folder of the repository, as an absolute path. Throws `VerenError('PATH_NOT_FOUND')`, for a link out of it too. */
export async function repoFolder(source: string, path: string): Promise<string> {
  const root = await realpath(source);
  const folder = await realpath(join(root, path)).catch(() => null);
  const inside = folder !== null && (folder === root || folder.startsWith(root + sep));
  if (!inside || !(await stat(folder)).isDirectory()) throw new VerenError('PATH_NOT_FOUND', { path });
  return folder;
}
