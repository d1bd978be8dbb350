import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { VerenError } from '../../contract/errors.ts';
import type { ApiEnv } from '../api/app.ts';
import { bearerToken } from '../api/auth.ts';
import type { ApiDeps } from '../api/deps.ts';
import { invalid, onError, problem } from '../api/problem.ts';
import { registerAnalyze } from '../api/routes/analyze.ts';

/** An analysis request names a repository; it is not the place for data. */
const MAX_BODY = 16 * 1024;

/** `POST /analyze` alone, as the API answers it on the laptop: same token, same checks, same problems. */
export function createAnalyzer(deps: Required<Pick<ApiDeps, 'authenticate' | 'analyze' | 'log'>>): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({
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
    const token = bearerToken(c.req.header('Authorization'));
    const owner = token && (await deps.authenticate(token));
    if (!owner) return problem(c, new VerenError('UNAUTHORIZED'));
    c.set('owner', owner);
    return next();
  });
  registerAnalyze(app, deps);
  app.notFound((c) => problem(c, new VerenError('NOT_FOUND', { what: `${c.req.method} ${c.req.path}` })));
  app.onError((error, c) => onError(c, error, deps.log));
  return app;
}
