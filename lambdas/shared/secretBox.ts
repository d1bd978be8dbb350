import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';

/**
 * The keys that secrets are sealed with, named `key-<id>`, and `current`, the id of the key for new secrets. An earlier
 * key must stay for as long as secrets that it has sealed are to be read.
 */
export const SecretKeysSchema = z
  .record(z.string().regex(/^(current|key-[a-z0-9]{1,16})$/), z.string().min(1).max(200))
  .refine(
    (keys) => (keys[`key-${keys.current}`]?.length ?? 0) >= 32,
    '"current" must name a key of 32 characters or more',
  );
export type SecretKeys = z.infer<typeof SecretKeysSchema>;

/**
 * What a secret belongs to: a field of a deployment or of an owner, or a variable of a project with everything that decides who sees
 * it. It cannot be opened for anything else, so it is useless to copy it to another build, or to give it other readers.
 */
export type SecretPlace =
  | { readonly deploymentId: string; readonly field: string }
  | { readonly projectId: string; readonly variable: string; readonly readers: readonly string[] }
  | { readonly owner: string; readonly field: string };

export interface SecretBox {
  seal(secret: string, place: SecretPlace): Promise<string>;
  /** Throws SECRETS_UNREADABLE. */
  open(sealed: string, place: SecretPlace): Promise<string>;
  /** A fingerprint that is equal for equal texts; without the key, texts cannot be guessed from it. */
  fingerprint(text: string): Promise<string>;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^1\.([a-z0-9]{1,16})\.([A-Za-z0-9_-]+)$/;

/**
 * Seals with AES-256-GCM under a random nonce; the place is authenticated with it. The form is `1.<key id>.<base64url of
 * nonce, text, tag>`. @param readKeys Asked each time: it may keep what it has read, and read again for an unknown id.
 */
export function secretBox(readKeys: (wanted?: string) => Promise<SecretKeys>): SecretBox {
  return {
    async seal(secret, place) {
      const keys = await readKeys();
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, deriveKey(keys, keys.current!, 'seal'), nonce).setAAD(bytesOf(place));
      const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `1.${keys.current}.${sealed.toString('base64url')}`;
    },

    async open(sealed, place) {
      const [, id = '', text = ''] = SEALED.exec(sealed) ?? [];
      const keys = await readKeys(id);
      if (keys[`key-${id}`] === undefined) throw unreadableSecrets('their key is not there');
      const bytes = Buffer.from(text, 'base64url');
      const end = bytes.length - TAG_BYTES;
      if (end < NONCE_BYTES) throw unreadableSecrets('they are damaged');
      try {
        const decipher = createDecipheriv(ALGORITHM, deriveKey(keys, id, 'seal'), bytes.subarray(0, NONCE_BYTES))
          .setAAD(bytesOf(place))
          .setAuthTag(bytes.subarray(end));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]).toString('utf8');
      } catch {
        throw unreadableSecrets('they are damaged, or were sealed for something else');
      }
    },

    async fingerprint(text) {
      const keys = await readKeys();
      return createHmac('sha256', deriveKey(keys, keys.current!, 'fingerprint'))
        .update(text)
        .digest('hex');
    },
  };
}

/** True where this key has sealed the text. */
export const isSealedWith = (sealed: string, keyId: string): boolean => SEALED.exec(sealed)?.[1] === keyId;

/** Bytes of the text that was sealed, which need not be opened for that. */
export const sealedLength = (sealed: string): number =>
  Buffer.byteLength(SEALED.exec(sealed)?.[2] ?? '', 'base64url') - NONCE_BYTES - TAG_BYTES;

/** Derives a key of 32 bytes for one purpose from the stored key, which may be any text (HKDF, RFC 5869). */
const deriveKey = (keys: SecretKeys, id: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', keys[`key-${id}`] ?? '', '', `veren secret box ${purpose}`, 32));

const bytesOf = (place: SecretPlace) =>
  Buffer.from(
    JSON.stringify(
      'deploymentId' in place
        ? [place.deploymentId, place.field]
        : 'owner' in place
          ? ['owner', place.owner, place.field]
          : ['variable', place.projectId, place.variable, ...place.readers],
    ),
  );

const unreadableSecrets = (reason: string) => new VerenError('SECRETS_UNREADABLE', { reason });
