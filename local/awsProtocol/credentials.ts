import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { writeFileAtomic } from './atomicFile.ts';
import type { Policy } from './policy.ts';

/** In every data folder, from its first start on. */
export const CREDENTIALS_FILE = 'credentials.json';

/** The account that the laptop pretends to be. */
export const LOCAL_ACCOUNT = '000000000000';

/** The signer of a request. Without a policy everything is allowed. */
export interface Principal {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly arn: string;
  /** Temporary keys only. */
  readonly session?: { readonly token: string; readonly expiresAt: number; readonly policy?: Policy };
}

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface CredentialStore {
  /** The platform's own key pair. */
  readonly root: KeyPair;
  lookup(accessKeyId: string): Principal | undefined;
  /** A temporary key pair, limited by `policy` where one is given. */
  mint(input: { arn: string; durationSeconds: number; policy?: Policy }): Principal & {
    session: { token: string; expiresAt: number };
  };
}

const RootSchema = z.object({ accessKeyId: z.string().min(16), secretAccessKey: z.string().min(40) });

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const keyId = (prefix: 'AKIA' | 'ASIA') => prefix + Array.from(randomBytes(16), (b) => BASE32[b & 31]).join('');
const createSecret = () => randomBytes(30).toString('base64url');

/**
 * The keys that the laptop's endpoints accept. The root pair is random, made at first start and kept in
 * `<dataDir>/credentials.json` (mode 600). Sessions live in memory only: they belong to running builds, and those
 * are ended when the platform starts again.
 */
export async function createCredentialStore(options: { dataDir: string; clock?: Clock }): Promise<CredentialStore> {
  const clock = options.clock ?? { now: Date.now };
  const root = await loadRoot(options.dataDir);
  const principals = new Map<string, Principal>([
    [root.accessKeyId, { ...root, arn: `arn:aws:iam::${LOCAL_ACCOUNT}:root` }],
  ]);

  const dropExpired = (now: number) => {
    for (const [id, { session }] of principals) if (session && session.expiresAt <= now) principals.delete(id);
  };

  return {
    root,
    lookup: (accessKeyId) => principals.get(accessKeyId),
    mint({ arn, durationSeconds, policy }) {
      const now = clock.now();
      dropExpired(now - 3_600_000); // an hour late, so that a late caller hears "expired" and not "unknown key"
      const session = {
        token: randomBytes(48).toString('base64'),
        expiresAt: now + durationSeconds * 1_000,
        ...(policy && { policy }),
      };
      const principal = { accessKeyId: keyId('ASIA'), secretAccessKey: createSecret(), arn, session };
      principals.set(principal.accessKeyId, principal);
      return principal;
    },
  };
}

async function loadRoot(dataDir: string): Promise<KeyPair> {
  const path = join(dataDir, CREDENTIALS_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const root = { accessKeyId: keyId('AKIA'), secretAccessKey: createSecret() };
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, `${JSON.stringify(root, null, 2)}\n`);
    return root;
  }
  try {
    return RootSchema.parse(JSON.parse(text));
  } catch (cause) {
    // The parser's message is left out, since it may quote the file and with it the secret.
    throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dataDir, reason: `${path} is not valid` }, { cause });
  }
}
