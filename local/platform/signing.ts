import { randomBytes } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';
import { type Signing, SigningSecretSchema } from '../../lambdas/shared/signing.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';
import { CREDENTIALS_FILE } from '../awsProtocol/credentials.ts';

const FileSchema = SigningSecretSchema.extend({ since: z.number().int().min(0) });

/**
 * The secret that messages are signed with: made at the first start and kept in `<dataDir>/signing.json` (mode 600). A folder
 * that an earlier version has used may hold messages that are not signed; a new one holds none.
 */
export async function laptopSigning(dataDir: string, now: number): Promise<Signing> {
  const path = join(dataDir, 'signing.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Every version makes this file at its first start.
    const isOld = await access(join(dataDir, CREDENTIALS_FILE)).then(
      () => true,
      () => false,
    );
    const made: Signing = { current: randomBytes(32).toString('hex'), accepted: [], since: isOld ? now : 0 };
    await writeFileAtomic(path, `${JSON.stringify(made, null, 2)}\n`);
    return made;
  }
  try {
    return FileSchema.parse(JSON.parse(text));
  } catch (cause) {
    // The parser's message is left out, since it may quote the file and with it the secret.
    throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: `${path} is not valid` }, { cause });
  }
}
