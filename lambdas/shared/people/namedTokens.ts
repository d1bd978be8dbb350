import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type Caller,
  lesserScope,
  type OwnerDocument,
  type StoredToken,
  scopeOfRole,
} from '../../../contract/people.ts';
import { type Authenticate, hashToken } from '../http/auth.ts';
import type { Clock } from '../ports.ts';
import type { OwnerStore } from './ownerStore.ts';

/** `veren_<owner in base64url>.<id>.<secret>`: it tells whose it is, so that it is looked up without an index. */
const FORM = /^veren_([A-Za-z0-9_-]{1,400})\.([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/;

/** How exactly the last use of a token is kept: a write for each use would cost more than the use. */
const USE_MS = 3_600_000;

/** A new token of this owner with its id. Its secret has 256 random bits, so its hash needs no salt. */
export function makeNamedToken(owner: string): { readonly id: string; readonly token: string } {
  const id = randomBytes(8).toString('hex');
  const whose = Buffer.from(owner).toString('base64url');
  return { id, token: `veren_${whose}.${id}.${randomBytes(32).toString('base64url')}` };
}

export interface NamedTokenDeps {
  readonly owners: Pick<OwnerStore, 'readRecent'>;
  /** Whether the stage has such an owner: nothing is read for made-up ones, and those that were removed are shut out. */
  readonly isOwner: (owner: string) => Promise<boolean>;
  readonly clock: Clock;
  /** Called for a valid token whose last use is to be noted. */
  readonly noteUse?: (owner: string, tokenId: string) => Promise<void>;
}

/** Looks up tokens of owner documents. Unknown, expired and revoked ones are all null. */
export function authenticateNamed({ owners, isOwner, clock, noteUse }: NamedTokenDeps): Authenticate {
  return async (token) => {
    const [, whose, id] = FORM.exec(token) ?? [];
    if (whose === undefined || id === undefined) return null;
    const owner = Buffer.from(whose, 'base64url').toString();
    if (!(await isOwner(owner))) return null;
    const document = await owners.readRecent(owner);
    const known = findToken(document, id, token);
    if (!known || isExpired(known, clock)) return null;
    const caller = callerOf(document, known);
    if (caller && noteUse && isUseToBeNoted(known, clock)) await noteUse(owner, id);
    return caller;
  };
}

function findToken(document: OwnerDocument, id: string, token: string): StoredToken | undefined {
  const known = document.tokens.find((t) => t.id === id);
  // An unknown id costs the same comparison as a known one.
  const expected = Buffer.from(known?.hash ?? hashToken(''), 'hex');
  const given = Buffer.from(hashToken(token), 'hex');
  return timingSafeEqual(expected, given) ? known : undefined;
}

const isExpired = ({ expiresAt }: StoredToken, clock: Clock) =>
  expiresAt !== undefined && clock.now() >= Date.parse(expiresAt);

const isUseToBeNoted = ({ lastUsedAt }: StoredToken, clock: Clock) =>
  lastUsedAt === undefined || Math.abs(clock.now() - Date.parse(lastUsedAt)) >= USE_MS;

/** Null where the token's member is not there any more. */
function callerOf({ owner, members }: OwnerDocument, token: StoredToken): Caller | null {
  const { id, name, projects, member } = token;
  const role = members.find((m) => m.name === member)?.role;
  if (member !== undefined && role === undefined) return null;
  const scope = role === undefined ? token.scope : lesserScope(token.scope, scopeOfRole(role));
  return { owner, name, scope, tokenId: id, ...(projects && { projects }), ...(member !== undefined && { member }) };
}

/** Notes that a token was used now. A failure is no reason to refuse the request. */
export const noteTokenUse =
  (owners: Pick<OwnerStore, 'change'>, clock: Clock, onError: (error: unknown) => void) =>
  async (owner: string, tokenId: string): Promise<void> => {
    const lastUsedAt = new Date(clock.now()).toISOString();
    await owners
      .change(owner, (before) => {
        const stored = before.tokens.find((t) => t.id === tokenId);
        if (!stored || !isUseToBeNoted(stored, clock)) return before;
        return { ...before, tokens: before.tokens.map((t) => (t === stored ? { ...t, lastUsedAt } : t)) };
      })
      .catch(onError);
  };
