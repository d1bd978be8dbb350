import { Hono } from 'hono';
import type { Authenticate } from '../shared/http/auth.ts';
import { type ApiEnv, guardApp } from '../shared/http/guard.ts';
import { ownDeployment } from '../shared/http/ownDeployment.ts';
import type { Log } from '../shared/logger.ts';
import type { FollowDeps } from '../shared/logs/followLog.ts';
import { streamEvents } from '../shared/logs/serverSentEvents.ts';

export interface StreamerDeps extends FollowDeps {
  readonly authenticate: Authenticate;
  readonly log: Log;
  /** After which a stream closes, to be resumed. @default two minutes */
  readonly streamMs?: number;
}

/** A streamed answer goes on, and costs money, after its client has left, since Lambda is not told of that. */
const STREAM_MS = 120_000;
/** A follower has nothing to send. */
const MAX_BODY = 1_024;

/** `GET /deployments/{id}/logs` as server-sent events: where the API redirects followers to, since API Gateway cannot stream. */
export function createStreamer(deps: StreamerDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  guardApp(app, deps, { maxBody: MAX_BODY });
  app.get('/deployments/:id/logs', async (c) => {
    const id = c.req.param('id');
    await ownDeployment(deps, c.get('caller'), id);
    return streamEvents(c, deps, id, parseSequence(c.req.header('Last-Event-ID') ?? c.req.query('after')), {
      maxMs: deps.streamMs ?? STREAM_MS,
    });
  });
  return app;
}

/** The last `seq` that a client has seen; 0 for anything that is not a number. */
const parseSequence = (text: string | undefined) => (text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : 0);
