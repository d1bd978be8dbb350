import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { ProblemSchema } from '../../../contract/api.ts';
import { LogLineSchema } from '../../../contract/events.ts';
import { rest } from '../../log-streamer/followLog.ts';
import { streamEvents } from '../../log-streamer/serverSentEvents.ts';
import type { Api } from '../app.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiEnv } from '../guard.ts';
import { problemResponses } from '../problem.ts';
import { idParams, ownDeployment } from './read.ts';

const seq = z.coerce.number().int().min(0);

const route = createRoute({
  method: 'get',
  path: '/deployments/{id}/logs',
  summary: 'The log, whole or followed',
  description:
    'NDJSON of what there is. With `follow=true` or `Accept: text/event-stream`: server-sent events `log`, `status` and, last, `end`; `Last-Event-ID` (or `after`) resumes.',
  request: {
    params: idParams,
    query: z.object({ follow: z.enum(['true', 'false']).optional(), after: seq.optional() }),
    headers: z.object({ 'last-event-id': seq.optional(), accept: z.string().optional() }),
  },
  responses: {
    200: {
      description: 'Log lines',
      content: { 'application/x-ndjson': { schema: LogLineSchema }, 'text/event-stream': { schema: z.string() } },
    },
    307: { description: 'The log is followed at another address; send the token there too' },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

export function registerLogs(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const query = c.req.valid('query');
    const headers = c.req.valid('header');
    await ownDeployment(deps, c.get('owner'), id);
    const after = headers['last-event-id'] ?? query.after ?? 0;
    const follow = query.follow === 'true' || (query.follow !== 'false' && wantsEvents(headers.accept));
    if (!follow) return ndjson(c, deps, id, after);
    if (deps.logStreamUrl) return c.redirect(`${deps.logStreamUrl}/deployments/${id}/logs?after=${after}`, 307);
    return streamEvents(c, deps, id, after);
  });
}

const wantsEvents = (accept: string | undefined) => accept?.toLowerCase().includes('text/event-stream') ?? false;

function ndjson(c: Context<ApiEnv>, deps: ApiDeps, id: string, after: number) {
  c.header('Content-Type', 'application/x-ndjson; charset=utf-8');
  return stream(c, async (out) => {
    for await (const lines of rest(deps, id, after)) {
      if (out.aborted) return;
      await out.write(lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
    }
  });
}
