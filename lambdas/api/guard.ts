import type { Context, Hono, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { VerenError } from '../../contract/errors.ts';
import { bearerToken } from './auth.ts';
import type { ApiDeps } from './deps.ts';
import { onError, problem } from './problem.ts';

/** What every handler finds in its context: the owner that the token belongs to. */
export type ApiEnv = { Variables: { owner: string; requestId: string } };

export interface GuardOptions {
  /** Bytes of a request's body. */
  readonly maxBody: number;
  /** Paths that need no token. */
  readonly open?: ReadonlySet<string>;
}

/** What all HTTP functions have in common: request ids, a body limit, the token, problems for everything that goes wrong. */
export function guard(
  app: Hono<ApiEnv>,
  deps: Pick<ApiDeps, 'authenticate' | 'log'>,
  { maxBody, open }: GuardOptions,
): void {
  app.use(requestId());
  app.use(async (c, next) => {
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Cache-Control', 'no-store');
  });
  const tooLarge = (c: Context) => problem(c, new VerenError('BODY_TOO_LARGE', { limit: maxBody }));
  app.use(bodyLimit({ maxSize: maxBody, onError: tooLarge }));
  app.use(async (c, next) => {
    if (open?.has(c.req.path)) return next();
    const token = bearerToken(c.req.header('Authorization'));
    const owner = token && (await deps.authenticate(token));
    if (!owner) return problem(c, new VerenError('UNAUTHORIZED'));
    c.set('owner', owner);
    return next();
  });
  app.notFound((c) => problem(c, new VerenError('NOT_FOUND', { what: `${c.req.method} ${c.req.path}` })));
  app.onError((error, c) => onError(c, error, deps.log));
}

/** For routes with a body: without this, one of another type would count as none. */
export const jsonOnly: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const isJson = /^application\/([a-z.-]+\+)?json(;|$)/i.test(c.req.header('Content-Type') ?? '');
  if (c.req.method === 'POST' && !isJson)
    return problem(c, new VerenError('MALFORMED_JSON', { reason: 'its Content-Type is not application/json' }));
  return next();
};

/** For routes whose body may be left out: one of another type would count as none, too. */
export const jsonIfAny: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const isEmpty = c.req.raw.body === null || c.req.header('Content-Length') === '0';
  return isEmpty ? next() : jsonOnly(c, next);
};
