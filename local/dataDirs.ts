import { join, resolve } from 'node:path';
import { VerenError } from '../contract/errors.ts';
import { findHolder } from './lockFile.ts';

export const DEFAULT_DATA_DIR = '.veren';
export const DEMO_DATA_DIR = join(DEFAULT_DATA_DIR, 'demo');
/** In a data folder: the process that has it. */
export const LOCK_FILE = 'lock';

/**
 * Throws DATA_FOLDER_LOCKED where another process has the folder. Asked before the platform is loaded, which takes seconds;
 * whoever opens the folder locks it.
 */
export async function requireUnlocked(dataDir: string): Promise<void> {
  const path = resolve(dataDir);
  const pid = await findHolder(join(path, LOCK_FILE));
  if (pid !== null) throw new VerenError('DATA_FOLDER_LOCKED', { path, pid });
}
