import { openS3, openSecrets, type S3Calls } from '../adapters/aws/clients.ts';
import { systemClock } from '../clock.ts';
import type { Authenticate } from '../http/auth.ts';
import type { Log } from '../logger.ts';
import { tokenHashes } from '../secrets.ts';
import { authenticateCaller } from './authenticateCaller.ts';
import { noteTokenUse } from './namedTokens.ts';
import { type OwnerStore, openOwnerStore } from './ownerStore.ts';

interface AuthenticationEnv {
  readonly BUCKET: string;
  readonly TOKENS_SECRET_ARN: string;
}

/** For functions that only check tokens: they may read owners' documents and write none. */
export function openAuthentication(env: AuthenticationEnv): Authenticate {
  const clock = systemClock;
  const hashes = tokenHashes(openSecrets(), env.TOKENS_SECRET_ARN, clock);
  const owners = openOwnerStore({ s3: openS3(), bucket: env.BUCKET, clock, mayList: false });
  return authenticateCaller({ hashes, owners, clock });
}

/** For the API, which changes owners' documents, too, and notes when a token was used. */
export function openOwners(
  env: AuthenticationEnv,
  s3: S3Calls,
  log: Log,
): { authenticate: Authenticate; owners: OwnerStore } {
  const clock = systemClock;
  const hashes = tokenHashes(openSecrets(), env.TOKENS_SECRET_ARN, clock);
  const owners = openOwnerStore({ s3, bucket: env.BUCKET, clock });
  const noteUse = noteTokenUse(owners, clock, (error) => log.warn('The use of a token could not be noted', { error }));
  return { owners, authenticate: authenticateCaller({ hashes, owners, clock, noteUse }) };
}
