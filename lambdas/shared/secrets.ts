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

/** How long it may take until a new or revoked token, or a changed key, is noticed. */
const TTL_MS = 60_000;

/**
 * Reads a secret again every minute, and where `isEnough` misses something in it at most once a second. If reading fails,
 * what was read before stays valid.
 * @param form What the secret has to be, for the error of one that is not.
 */
function remembered<T>(
  { client, arn, clock }: { readonly client: SecretsCalls; readonly arn: string; readonly clock: Clock },
  schema: z.ZodType<T>,
  form: string,
): (isEnough?: (known: T) => boolean) => Promise<T> {
  let known: T | undefined;
  let readAt = 0;
  return async (isEnough = () => true) => {
    if (known && clock.now() - readAt < (isEnough(known) ? TTL_MS : MISSED_MS)) return known;
    try {
      const parsed = schema.safeParse(JSON.parse(await secretText(client, arn)));
      if (!parsed.success) throw new Error(form);
      known = parsed.data;
    } catch (e) {
      if (!known) throw e;
    }
    readAt = clock.now();
    return known;
  };
}

/** How often the keys are read at most, where one is asked for that was not there. */
const MISSED_MS = 1_000;

/** Reads the hashes of the API tokens. */
export function tokenHashes(client: SecretsCalls, arn: string, clock: Clock): () => Promise<TokenHashes> {
  const form = 'The secret with the API tokens is not owner → [SHA-256 as hex, …].';
  const read = remembered({ client, arn, clock }, TokensSchema, form);
  return () => read();
}

/**
 * Reads the keys that secrets are sealed with, so that a function which runs on seals with a changed key within a minute,
 * and at once when a key is asked for that was not there.
 */
export function secretKeys(client: SecretsCalls, arn: string, clock: Clock): (wanted?: string) => Promise<SecretKeys> {
  const form = 'The secret with the data key is not {"current": "1", "key-1": "…"}.';
  const read = remembered<SecretKeys>({ client, arn, clock }, SecretKeysSchema, form);
  return (wanted) => read((known) => wanted === undefined || known[`key-${wanted}`] !== undefined);
}
