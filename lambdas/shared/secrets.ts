import { z } from 'zod';
import type { SecretsCalls } from './adapters/aws/clients.ts';
import type { TokenHashes } from './http/auth.ts';
import type { Clock } from './ports.ts';
import { type SecretKeys, SecretKeysSchema } from './secretBox.ts';

/** The text of a secret. Never logged, never part of an error. */
export async function secretText(client: SecretsCalls, arn: string): Promise<string> {
  const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  if (SecretString === undefined) throw new Error(`The secret ${arn} has no text.`);
  return SecretString;
}

/** SHA-256 as hex. Anything else is refused, so that a token in clear text is noticed. */
const TokensSchema = z.record(z.string().min(1).max(100), z.array(z.string().regex(/^[0-9a-f]{64}$/)));

/** How long it may take until a new or revoked token is noticed. */
const TOKENS_TTL_MS = 60_000;

/**
 * Reads the hashes of the API tokens, again every minute. If reading fails, the hashes that were read before stay
 * valid.
 */
export function tokenHashes(client: SecretsCalls, arn: string, clock: Clock): () => Promise<TokenHashes> {
  let known: TokenHashes | undefined;
  let readAt = 0;
  return async () => {
    if (known && clock.now() - readAt < TOKENS_TTL_MS) return known;
    try {
      const parsed = TokensSchema.safeParse(JSON.parse(await secretText(client, arn)));
      if (!parsed.success) throw new Error('The secret with the API tokens is not owner → [SHA-256 as hex, …].');
      known = parsed.data;
    } catch (e) {
      if (!known) throw e;
    }
    readAt = clock.now();
    return known;
  };
}

/**
 * Reads the keys that secrets are sealed with: at first use, and again (once a minute at most) when an id is asked for that
 * was not there, since an operator may have added a key.
 */
export function secretKeys(client: SecretsCalls, arn: string, clock: Clock): (wanted?: string) => Promise<SecretKeys> {
  let known: SecretKeys | undefined;
  let readAt = 0;
  return async (wanted) => {
    const suffices = known && (wanted === undefined || known[`key-${wanted}`] !== undefined);
    if (known && (suffices || clock.now() - readAt < TOKENS_TTL_MS)) return known;
    const parsed = SecretKeysSchema.safeParse(JSON.parse(await secretText(client, arn)));
    if (!parsed.success) throw new Error('The secret with the data key is not {"current": "1", "key-1": "…"}.');
    readAt = clock.now();
    known = parsed.data;
    return known;
  };
}
