import type { Stats } from 'node:fs';
import { lstat, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { runGit } from '../git/runGit.ts';
import type { Shell } from '../shell.ts';
import { TokenSchema } from './contextFile.ts';

/** Where `npm start` on a laptop keeps its token, relative to its folder. */
const DATA_FOLDER = '.veren';
const MAX_TOKEN_BYTES = 4_096;

/**
 * The token file of a laptop's platform, in this folder or one above; undefined where there is none. Throws
 * CLI_TOKEN_FILE_FOREIGN for one that a stranger may have put there: the command would send the stranger's platform what
 * is deployed, with its variables.
 */
export async function findTokenFile(shell: Pick<Shell, 'env' | 'platform' | 'cwd'>): Promise<string | undefined> {
  for (let folder = resolve(shell.cwd); ; folder = dirname(folder)) {
    const file = join(folder, DATA_FOLDER, 'token');
    const found = await lstat(file).catch(() => undefined);
    if (found && !found.isDirectory()) {
      const reason = await findForeign(shell, folder, found);
      if (reason !== undefined) throw new VerenError('CLI_TOKEN_FILE_FOREIGN', { file, reason });
      return file;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** Why a token file is none of this user's platform's; undefined where nothing speaks against it. */
async function findForeign(
  shell: Pick<Shell, 'env' | 'platform'>,
  folder: string,
  file: Stats,
): Promise<string | undefined> {
  const data = await lstat(join(folder, DATA_FOLDER));
  if (!file.isFile() || !data.isDirectory()) return 'it is a link, which a platform never makes';
  if (shell.platform !== 'win32') {
    const isOwn = ({ uid }: Stats) => uid === process.getuid?.();
    if (!isOwn(file) || !isOwn(data)) return 'it belongs to another user';
    if ((file.mode & 0o077) !== 0) return 'others than its owner may read it, and a platform makes none like that';
  }
  // As whole names and in any case: a file system may take `.VEREN` for it.
  const tracked = await runGit(shell, folder, ['ls-files', '--', `:(icase)${DATA_FOLDER}/`]).catch(() => null);
  return tracked ? 'its folder came with the git repository' : undefined;
}

/** The port that the platform of a token file was started at last; undefined where an earlier version kept none. */
export async function readPort(tokenFile: string): Promise<string | undefined> {
  const file = join(dirname(tokenFile), 'port');
  // What is no file may never end.
  const isFile = await lstat(file).then(
    (info) => info.isFile() && info.size < 16,
    () => false,
  );
  const text = isFile ? await readFile(file, 'utf8').catch(() => '') : '';
  // A number and no address: a folder of somebody else's must not send a token of ours anywhere but to this machine.
  return /^\d{1,5}$/.test(text.trim()) ? text.trim() : undefined;
}

/** The token in a file. Throws CLI_FILE_INVALID, which says nothing of the content. */
export async function readTokenFile(file: string): Promise<string> {
  let text: string;
  try {
    if ((await stat(file)).size > MAX_TOKEN_BYTES) throw new Error('it is too long for a token');
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new VerenError('CLI_FILE_INVALID', { file, reason });
  }
  const token = TokenSchema.safeParse(text.trim());
  if (!token.success) throw new VerenError('CLI_FILE_INVALID', { file, reason: 'it holds no token' });
  return token.data;
}
