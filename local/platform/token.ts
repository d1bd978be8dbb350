import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';

export interface LaptopToken {
  readonly token: string;
  /** Where the token is kept; absent where it was given. */
  readonly file?: string;
}

/** The laptop's one token: the given one, or the one in `<dataDir>/token`, made at first start (mode 600). */
export async function laptopToken(dataDir: string, given: string | undefined): Promise<LaptopToken> {
  if (given) return { token: given };
  const file = join(dataDir, 'token');
  const known = await readFile(file, 'utf8').catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'ENOENT') return '';
    throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: e.message }, { cause: e });
  });
  if (known.trim()) return { token: known.trim(), file };
  const token = randomBytes(24).toString('base64url');
  await writeFileAtomic(file, `${token}\n`);
  return { token, file };
}
