import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { type SecretKeys, SecretKeysSchema } from '../../lambdas/shared/secretBox.ts';
import { writeFileAtomic } from '../awsProtocol/atomicFile.ts';

/** The keys in `<dataDir>/secret-keys.json`, made at first start (mode 600). Throws DATA_FOLDER_UNUSABLE. */
export async function laptopSecretKeys(dataDir: string): Promise<SecretKeys> {
  const path = join(dataDir, 'secret-keys.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ENOENT') throw unusableKeys(dataDir, path, e);
    const keys: SecretKeys = { current: '1', 'key-1': randomBytes(32).toString('base64url') };
    await writeFileAtomic(path, `${JSON.stringify(keys, null, 2)}\n`);
    return keys;
  }
  try {
    return SecretKeysSchema.parse(JSON.parse(text));
  } catch {
    // The parser's message is left out, since it may quote the file and with it a key.
    throw unusableKeys(dataDir, path);
  }
}

const unusableKeys = (dataDir: string, path: string, cause?: unknown) =>
  new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: `${path} is not valid` }, { cause });
