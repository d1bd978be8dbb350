import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Hono, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { VerenError } from '../../../contract/errors.ts';
import type { Caller } from '../../../contract/people.ts';
import type { Log } from '../logger.ts';
import type { OwnerLimiter } from '../people/limitOwners.ts';
import { allowedMethods } from './allowedMethods.ts';
import { type Authenticate, bearerToken } from './auth.ts';
import { authoriseRequest } from './authorise.ts';
import { checkJson } from './jsonBody.ts';
import { answerProblem, onError } from './problem.ts';
import { nameRequest } from './requestLog.ts';

/** What every handler finds in its context: who asks, the owner that the token belongs to, and the id of the request. */
export type ApiEnv = { Variables: { caller: Caller; owner: string; correlationId: string } };

/** An app whose routes are part of the OpenAPI document. */
export type Api = OpenAPIHono<ApiEnv>;

export interface GuardDeps {
  readonly authenticate: Authenticate;
  readonly log: Log;
  /** Absent where requests are not counted. */
  readonly limiter?: Pick<OwnerLimiter, 'limitRequest'>;
}

export interface GuardOptions {
  /** Bytes of a request's body. */
  readonly maxBody: number;
  /** Paths that need no token. */
  readonly open?: ReadonlySet<string>;
  /** The beginning of paths that need no token and check who asks by themselves, and the bytes of a body there. */
  readonly hooks?: { readonly prefix: string; readonly maxBody: number };
}

/**
 * Adds what all HTTP functions have in common: request ids, a body limit, the check of the token and of what it
 * is good for, and problems as error answers.
 */
export function guardApp(app: Hono<ApiEnv>, deps: GuardDeps, { maxBody, open, hooks }: GuardOptions): void {
  const isHook = (path: string) => hooks !== undefined && path.startsWith(hooks.prefix);
  app.use(nameRequest(deps.log));
  app.use(async (c, next) => {
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Cache-Control', 'no-store');
    c.header('X-Frame-Options', 'DENY');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('Referrer-Policy', 'no-referrer');
  });
  const limitBody = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: (c: Context) => answerProblem(c, new VerenError('BODY_TOO_LARGE', { limit: maxSize })),
    });
  const [limitUsual, limitHook] = [limitBody(maxBody), limitBody(hooks?.maxBody ?? maxBody)];
  app.use((c, next) => (isHook(c.req.path) ? limitHook(c, next) : limitUsual(c, next)));
  app.use(async (c, next) => {
    if (open?.has(c.req.path) || isHook(c.req.path)) return next();
    const token = bearerToken(c.req.header('Authorization'));
    const caller = token && (await deps.authenticate(token));
    if (!caller) return answerProblem(c, new VerenError('UNAUTHORIZED'));
    c.set('caller', caller);
    c.set('owner', caller.owner);
    // What is forbidden counts, too. An admin can revoke a stolen token that uses up what the owner may ask.
    if (!isRevocation(c, caller)) await deps.limiter?.limitRequest(caller.owner);
    const refusal = authoriseRequest(c, caller);
    if (refusal) return answerProblem(c, refusal);
    return next();
  });
  app.notFound((c) => {
    const allowed = allowedMethods(app.routes, c.req.path);
    if (allowed.length === 0)
      return answerProblem(c, new VerenError('NOT_FOUND', { what: `route "${c.req.method} ${c.req.path}"` }));
    c.header('Allow', allowed.join(', '));
    return answerProblem(c, new VerenError('METHOD_NOT_ALLOWED', { method: c.req.method }));
  });
  app.onError((error, c) => onError(c, error));
}

const isRevocation = ({ req }: Context, { scope }: Caller): boolean =>
  scope === 'admin' && req.method === 'DELETE' && /^\/(tokens|members)\/[^/]+$/.test(req.path);

/**
 * Runs before the schema of routes with a body. Without it a body of another type would count as no body, and the
 * schema would see only one reading of ambiguous JSON (`jsonBody.ts`).
 */
export const jsonOnly: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (!METHODS_WITH_BODY.has(c.req.method)) return next();
  const answerMalformed = (reason: string) => answerProblem(c, new VerenError('MALFORMED_JSON', { reason }));
  const [type = '', ...parameters] = (c.req.header('Content-Type') ?? '').toLowerCase().split(';');
  if (!/^application\/([a-z0-9.-]+\+)?json$/.test(type.trim()))
    return answerMalformed('its Content-Type is not application/json');
  if (parameters.some((p) => /^\s*charset\s*=/.test(p) && !/=\s*"?utf-?8"?\s*$/.test(p)))
    return answerMalformed('its charset is not UTF-8');
  if (!/^(identity)?$/i.test(c.req.header('Content-Encoding') ?? '')) return answerMalformed('it is compressed');
  const body = checkJson(new Uint8Array(await c.req.arrayBuffer()));
  if (body.kind === 'malformed') return answerMalformed(body.reason);
  if (body.kind === 'unsound') return answerProblem(c, new VerenError('INVALID_REQUEST'), body.faults);
  return next();
};

/**
 * The same for routes whose body may be left out. Without a body the Content-Type is ignored, since some clients send
 * the same headers with every POST.
 */
export const jsonIfAny: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { raw } = c.req;
  if (raw.body !== null && (await c.req.arrayBuffer()).byteLength > 0) return jsonOnly(c, next);
  const headers = new Headers(raw.headers);
  headers.delete('Content-Type');
  c.req.raw = new Request(raw.url, { method: raw.method, headers, signal: raw.signal });
  return next();
};
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
