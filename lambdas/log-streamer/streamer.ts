import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import { VerenError } from '../../contract/errors.ts';
import type { ApiEnv } from '../api/app.ts';
import { type Authenticate, bearerToken } from '../api/auth.ts';
import { onError, problem } from '../api/problem.ts';
import { ownDeployment } from '../api/routes/read.ts';
import type { Log } from '../shared/logger.ts';
import type { FollowDeps } from './followLog.ts';
import { streamEvents } from './serverSentEvents.ts';

export interface StreamerDeps extends FollowDeps {
  readonly authenticate: Authenticate;
  readonly log: Log;
}

/** `GET /deployments/{id}/logs` as server-sent events: where the API redirects followers to, since API Gateway cannot stream. */
export function createStreamer(deps: StreamerDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(requestId());
  app.use(async (c, next) => {
    const token = bearerToken(c.req.header('Authorization'));
    const owner = token && (await deps.authenticate(token));
    if (!owner) return problem(c, new VerenError('UNAUTHORIZED'));
    c.set('owner', owner);
    return next();
  });
  app.get('/deployments/:id/logs', async (c) => {
    const id = c.req.param('id');
    await ownDeployment(deps, c.get('owner'), id);
    return streamEvents(c, deps, id, sequence(c.req.header('Last-Event-ID') ?? c.req.query('after')));
  });
  app.notFound((c) => problem(c, new VerenError('NOT_FOUND', { what: `${c.req.method} ${c.req.path}` })));
  app.onError((error, c) => onError(c, error, deps.log));
  return app;
}

/** What a client has seen; anything that is no number counts as nothing. */
const sequence = (text: string | undefined) => (text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : 0);
