import { type Authenticate, authenticateByHash, type TokenHashes } from '../http/auth.ts';
import type { Clock } from '../ports.ts';
import { authenticateNamed, type NamedTokenDeps } from './namedTokens.ts';

export interface AuthenticateCallerDeps extends Pick<NamedTokenDeps, 'owners' | 'noteUse'> {
  /** The stage's owners and the hashes of their first tokens, of the secret or the laptop's file. */
  readonly hashes: () => Promise<TokenHashes>;
  readonly clock: Clock;
}

/**
 * Everybody who may call: with the stage's own token of an owner, which is always an admin, or with a named one. Named
 * tokens count for the owners whom the stage has, be it with an empty list of hashes.
 */
export function authenticateCaller({ hashes, ...named }: AuthenticateCallerDeps): Authenticate {
  const byHash = authenticateByHash(hashes);
  const isOwner = async (owner: string) => Object.hasOwn(await hashes(), owner);
  const byName = authenticateNamed({ ...named, isOwner });
  return async (token) => (await byHash(token)) ?? (await byName(token));
}
