import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { TokenSchema } from './contextFile.ts';

/** Where `npm start` on a laptop keeps its token, relative to its folder. */
const TOKEN_FILE = join('.veren', 'token');
const MAX_TOKEN_BYTES = 4_096;

/** The token file of a laptop's platform, in this folder or one above; undefined where there is none. */
export async function findTokenFile(cwd: string): Promise<string | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, TOKEN_FILE);
    const found = await stat(file).then(
      (info) => info.isFile() && info.size <= MAX_TOKEN_BYTES,
      () => false,
    );
    if (found) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The port that the platform of a token file was started at last; undefined where an earlier version kept none. */
export async function readPort(tokenFile: string): Promise<string | undefined> {
  const text = await readFile(join(dirname(tokenFile), 'port'), 'utf8').catch(() => '');
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
