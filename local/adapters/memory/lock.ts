import { join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { LOCK_FILE } from '../../dataDirs.ts';
import { lockFile, type Unlock } from '../../lockFile.ts';

/**
 * Locks the folder for this process. @returns the function that unlocks it
 * @throws VerenError DATA_FOLDER_LOCKED with the pid of the process that has it
 */
export async function lockFolder(dir: string): Promise<Unlock> {
  const locked = await lockFile(join(dir, LOCK_FILE));
  if (typeof locked === 'number') throw new VerenError('DATA_FOLDER_LOCKED', { path: dir, pid: locked });
  return locked;
}
