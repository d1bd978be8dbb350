import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { VerenError } from '../../contract/errors.ts';
import { bearerToken } from './auth.ts';
import type { ApiDeps } from './deps.ts';
import { docsPage } from './docsPage.ts';
import { invalid, onError, problem } from './problem.ts';
import { registerAnalyze } from './routes/analyze.ts';
import { registerChange } from './routes/change.ts';
import { registerCreate } from './routes/create.ts';
import { registerLogs } from './routes/logs.ts';
import { registerRead } from './routes/read.ts';

/** What every handler finds in its context: the owner that the token belongs to. */
export type ApiEnv = { Variables: { owner: string; requestId: string } };
export type Api = OpenAPIHono<ApiEnv>;

/** API Gateway passes at most 10 MB; a request here is a few kilobytes. */
const MAX_BODY = 256 * 1024;
const OPEN_PATHS = new Set(['/healthz', '/openapi.json', '/docs']);

/** The HTTP API of design section 8, as a fetch handler: runs on Lambda and on Node alike. */
export function createApi(deps: ApiDeps): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => (result.success ? undefined : invalid(c, result.error)),
  });
  app.use(requestId());
  app.use(async (c, next) => {
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Cache-Control', 'no-store');
  });
  app.use(
    bodyLimit({ maxSize: MAX_BODY, onError: (c) => problem(c, new VerenError('BODY_TOO_LARGE', { limit: MAX_BODY })) }),
  );
  app.use(async (c, next) => {
    if (OPEN_PATHS.has(c.req.path)) return next();
    const token = bearerToken(c.req.header('Authorization'));
    const owner = token && (await deps.authenticate(token));
    if (!owner) return problem(c, new VerenError('UNAUTHORIZED'));
    c.set('owner', owner);
    return next();
  });

  for (const path of ['/deployments', '/analyze'])
    app.use(path, async (c, next) => {
      // Without this a body of another type would count as none.
      if (c.req.method === 'POST' && !isJson(c.req.header('Content-Type')))
        return problem(c, new VerenError('MALFORMED_JSON', { reason: 'its Content-Type is not application/json' }));
      return next();
    });

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  registerCreate(app, deps);
  registerRead(app, deps);
  registerLogs(app, deps);
  registerChange(app, deps);
  registerAnalyze(app, deps);

  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  const openapi = () =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'Veren', version: '1', description: 'From a git URL to a live site or a container image.' },
      security: [{ token: [] }],
    });
  app.get('/openapi.json', (c) => c.json(openapi()));
  app.get('/docs', (c) => c.html(docsPage(openapi())));

  app.notFound((c) => problem(c, new VerenError('NOT_FOUND', { what: `${c.req.method} ${c.req.path}` })));
  app.onError((error, c) => onError(c, error, deps.log));
  return app;
}

const isJson = (type: string | undefined) => /^application\/([a-z.-]+\+)?json(;|$)/i.test(type ?? '');
