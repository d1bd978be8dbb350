import type { SecretsCalls } from './adapters/aws/clients.ts';
import type { Log } from './logger.ts';
import type { Clock } from './ports.ts';
import { secretText } from './secrets.ts';
import { type Signing, type SigningSecret, SigningSecretSchema } from './signing.ts';

/** How long it may take until a changed secret is noticed. */
const TTL_MS = 60_000;

/** Reads the signing secret, again every minute. If reading fails, the secret that was read before stays valid. */
export function signingSecret(client: SecretsCalls, arn: string, clock: Clock): () => Promise<SigningSecret> {
  let known: SigningSecret | undefined;
  let readAt = 0;
  return async () => {
    if (known && clock.now() - readAt < TTL_MS) return known;
    try {
      const parsed = SigningSecretSchema.safeParse(JSON.parse(await secretText(client, arn)));
      if (!parsed.success)
        throw new Error('The secret for signing messages is not {"current": "…", "accepted": ["…"]}.');
      known = parsed.data;
    } catch (e) {
      if (!known) throw e;
    }
    readAt = clock.now();
    return known;
  };
}

/**
 * Time from the creation of the secret, which is the first step of a deployment, until the last function is the new
 * version.
 */
const UPGRADE_MS = 3_600_000;

/** The same, with the time from which on every message is signed. */
export function verifyingSecret(
  client: SecretsCalls,
  arn: string,
  clock: Clock,
  log: Pick<Log, 'warn'>,
): () => Promise<Signing> {
  const read = signingSecret(client, arn, clock);
  let since: number | undefined;
  return async () => {
    if (since === undefined)
      try {
        const { DescribeSecretCommand } = await import('@aws-sdk/client-secrets-manager');
        const { CreatedDate } = await client.send(new DescribeSecretCommand({ SecretId: arn }));
        since = CreatedDate ? CreatedDate.getTime() + UPGRADE_MS : 0;
      } catch (error) {
        log.warn('It is not known since when messages are signed, so unsigned ones are refused', { error });
        since = 0;
      }
    return { ...(await read()), since };
  };
}
