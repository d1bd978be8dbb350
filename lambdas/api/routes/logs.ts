import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { LastEventIdSchema, LogQuerySchema, MAX_LOG_PAGE_LINES, ProblemSchema } from '../../../contract/api.ts';
import { LogLineSchema } from '../../../contract/events.ts';
import { DEPLOYMENT_STATUSES, DeploymentRecordSchema } from '../../../contract/record.ts';
import type { Api, ApiEnv } from '../../shared/http/guard.ts';
import { idParams, ownDeployment } from '../../shared/http/ownDeployment.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import { readLogPage } from '../../shared/logs/logPage.ts';
import { streamEvents } from '../../shared/logs/serverSentEvents.ts';
import type { ApiDeps } from '../deps.ts';

/** OpenAPI 3.1 cannot describe a sequence of items, so the schema is that of one item: a line, or an event. */
const jsonLine = (schema: z.ZodType, description: string) =>
  z.string().meta({ description, contentMediaType: 'application/json', contentSchema: z.toJSONSchema(schema) });
const EventSchema = z.union([
  z.object({ event: z.literal('log'), id: z.string(), data: jsonLine(LogLineSchema, 'A line; the id is its seq') }),
  z.object({ event: z.literal('status'), data: jsonLine(DeploymentRecordSchema, 'The record, which has changed') }),
  z.object({
    event: z.literal('end'),
    data: jsonLine(z.object({ status: z.enum(DEPLOYMENT_STATUSES) }), 'The terminal status; always the last event'),
  }),
]);

const route = createRoute({
  method: 'get',
  path: '/deployments/{id}/logs',
  summary: 'The log, in pages or followed',
  description:
    'NDJSON, one line of the log in each. A page ends after `limit` lines or 2.5 MB; then `Link` with `rel="next"` says ' +
    'where to go on. With `follow=true` or `Accept: text/event-stream`: server-sent events `log`, `status` and, last, ' +
    '`end`; `Last-Event-ID` (or `after`) resumes.',
  request: {
    params: idParams,
    query: LogQuerySchema,
    headers: z.object({ 'last-event-id': LastEventIdSchema.optional(), accept: z.string().optional() }),
  },
  responses: {
    200: {
      description: 'Log lines',
      headers: { Link: { description: 'The next page, where there is one', schema: { type: 'string' } } },
      content: {
        'application/x-ndjson': { schema: LogLineSchema },
        'text/event-stream': { schema: EventSchema },
      },
    },
    307: {
      description: 'The log is followed at another address; send the token there too',
      headers: { Location: { schema: { type: 'string', format: 'uri' } } },
    },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

export function registerLogs(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const query = c.req.valid('query');
    const headers = c.req.valid('header');
    await ownDeployment(deps, c.get('caller'), id);
    const after = headers['last-event-id'] ?? query.cursor ?? query.after ?? 0;
    const follow = query.follow === 'true' || (query.follow !== 'false' && wantsEvents(headers.accept));
    if (!follow) return sendPage(c, deps, id, after, query.limit ?? MAX_LOG_PAGE_LINES);
    if (deps.logStreamUrl) return c.redirect(`${deps.logStreamUrl}/deployments/${id}/logs?after=${after}`, 307);
    return streamEvents(c, deps, id, after);
  });
}

const wantsEvents = (accept: string | undefined) => accept?.toLowerCase().includes('text/event-stream') ?? false;

async function sendPage(c: Context<ApiEnv>, deps: ApiDeps, id: string, after: number, limit: number) {
  const { text, next } = await readLogPage(deps, id, after, limit);
  c.header('Content-Type', 'application/x-ndjson; charset=utf-8');
  if (next !== undefined)
    c.header(
      'Link',
      `<${deps.linkOrigin(c.env)}/deployments/${id}/logs?cursor=${next}&limit=${limit}&follow=false>; rel="next"`,
    );
  return c.body(text);
}
