import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../../contract/people.ts';

/** Who a token speaks for; null for an unknown token. */
export type Authenticate = (token: string) => Promise<Caller | null>;

/** Owners and the SHA-256 (hex) of their tokens. Tokens themselves are not stored. */
export type TokenHashes = Readonly<Record<string, readonly string[]>>;

export const hashToken = (token: string) => createHash('sha256').update(token).digest('hex');

/**
 * Looks a token up by its hash, in constant time per entry. `hashes` is asked each time, so tokens can be rotated. Such a
 * token, of the stage's secret or the laptop's file, may do everything in its owner's name.
 */
export function authenticateByHash(hashes: () => Promise<TokenHashes>): Authenticate {
  return async (token) => {
    const given = Buffer.from(hashToken(token));
    let owner: string | null = null;
    for (const [name, known] of Object.entries(await hashes()))
      for (const hash of known) {
        const expected = Buffer.from(hash);
        if (expected.length === given.length && timingSafeEqual(expected, given)) owner = name;
      }
    return owner === null ? null : { owner, name: owner, scope: 'admin' };
  };
}

/** The token of an `Authorization: Bearer` header; null for anything else. Scheme names are case-insensitive (RFC 9110). */
export function bearerToken(header: string | undefined): string | null {
  return /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1] ?? null;
}
