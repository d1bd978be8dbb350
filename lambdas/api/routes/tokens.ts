import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import {
  CreatedTokenSchema,
  type CreateToken,
  CreateTokenSchema,
  MAX_TOKENS,
  type OwnerDocument,
  type StoredToken,
  TokenListSchema,
  type TokenView,
} from '../../../contract/people.ts';
import { hashToken } from '../../shared/http/auth.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { makeNamedToken } from '../../shared/people/namedTokens.ts';
import type { ApiDeps } from '../deps.ts';

const listRoute = createRoute({
  method: 'get',
  path: '/tokens',
  summary: 'The named tokens of the owner',
  description: 'Without the tokens themselves, which nobody can see again.',
  responses: {
    200: { description: 'All of them', content: { 'application/json': { schema: TokenListSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'FORBIDDEN', 'UNAVAILABLE'),
  },
});

const createTokenRoute = createRoute({
  method: 'post',
  path: '/tokens',
  middleware: jsonOnly,
  summary: 'Make a named token',
  description:
    'The answer is the only place where the token is shown. One of a member does no more than the member may.',
  request: { body: { required: true, content: { 'application/json': { schema: CreateTokenSchema } } } },
  responses: {
    201: { description: 'The token', content: { 'application/json': { schema: CreatedTokenSchema } } },
    ...problemResponses(
      ...([ProblemSchema, 'INVALID_REQUEST', 'MALFORMED_JSON', 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'] as const),
      ...(['NAME_TAKEN', 'TOO_MANY', 'BODY_TOO_LARGE', 'UNAVAILABLE', 'DISK_FULL'] as const),
    ),
  },
});

const deleteTokenRoute = createRoute({
  method: 'delete',
  path: '/tokens/{id}',
  summary: 'Revoke a token',
  description: 'It is refused at once by the process that answers, and within 30 seconds by all others.',
  request: { params: z.object({ id: z.string() }) },
  responses: {
    204: { description: 'Revoked' },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'UNAVAILABLE', 'DISK_FULL'),
  },
});

/** The name that releases have which nobody asked for. */
const PLATFORM_NAME = 'veren';
const DAY_MS = 24 * 3_600_000;

export function registerTokens(app: Api, deps: Pick<ApiDeps, 'owners' | 'audit' | 'clock'>): void {
  app.openapi(listRoute, async (c) => {
    const { tokens } = await deps.owners.read(c.get('owner'));
    return c.json({ items: tokens.map(viewToken) }, 200);
  });

  app.openapi(createTokenRoute, async (c) => {
    const { owner, name: by } = c.get('caller');
    const asked = c.req.valid('json');
    const { id, token } = makeNamedToken(owner);
    const made = describeToken(asked, { id, createdBy: by }, deps.clock.now());
    await deps.owners.change(owner, (before) => addToken(before, { ...made, hash: hashToken(token) }));
    await deps.audit({ owner, by, action: 'token.create', subject: asked.name, detail: detailOf(made) });
    return c.json({ ...made, token }, 201);
  });

  app.openapi(deleteTokenRoute, async (c) => {
    const { owner, name: by } = c.get('caller');
    const { id } = c.req.valid('param');
    let revoked: StoredToken | undefined;
    await deps.owners.change(owner, (before) => {
      revoked = before.tokens.find((t) => t.id === id);
      if (!revoked) return failWith('NOT_FOUND', { what: `token "${id.slice(0, 64)}"` });
      return { ...before, tokens: before.tokens.filter((t) => t.id !== id) };
    });
    if (revoked)
      await deps.audit({ owner, by, action: 'token.revoke', subject: revoked.name, detail: detailOf(revoked) });
    return c.body(null, 204);
  });
}

const viewToken = ({ hash: _, ...view }: StoredToken): TokenView => view;

function describeToken(
  { expiresInDays, projects, member, name, scope }: CreateToken,
  of: Pick<TokenView, 'id' | 'createdBy'>,
  now: number,
): TokenView {
  return {
    ...{ ...of, name, scope, createdAt: new Date(now).toISOString() },
    ...(projects && { projects }),
    ...(member !== undefined && { member }),
    ...(expiresInDays !== undefined && { expiresAt: new Date(now + expiresInDays * DAY_MS).toISOString() }),
  };
}

/** Names of tokens are what audit list and releases show, so none looks like another, the owner or the platform. */
function addToken(before: OwnerDocument, token: StoredToken): OwnerDocument {
  const name = token.name.toLowerCase();
  const taken = [PLATFORM_NAME, before.owner.toLowerCase(), ...before.tokens.map((t) => t.name.toLowerCase())];
  if (taken.includes(name)) return failWith('NAME_TAKEN', { what: 'token', name: token.name });
  if (before.tokens.length >= MAX_TOKENS) return failWith('TOO_MANY', { limit: MAX_TOKENS, what: 'tokens' });
  if (token.member !== undefined && !before.members.some((m) => m.name === token.member))
    return failWith('NOT_FOUND', { what: `member "${token.member}"` });
  return { ...before, tokens: [...before.tokens, token] };
}

const detailOf = ({ id, scope, projects, member, expiresAt }: TokenView) =>
  [
    `id ${id}, scope ${scope}`,
    projects ? `projects ${projects.slice(0, 10).join(' ')}${projects.length > 10 ? ' …' : ''}` : 'all projects',
    ...(member === undefined ? [] : [`of member ${member}`]),
    expiresAt === undefined ? 'does not expire' : `expires ${expiresAt}`,
  ].join(', ');
