import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import {
  ProjectServiceSchema,
  ServiceLogLineSchema,
  type ServiceLogQuery,
  ServiceLogQuerySchema,
} from '../../../contract/services.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ServiceReports } from '../../shared/services/servicePort.ts';
import type { ApiDeps } from '../deps.ts';
import { viewService } from '../viewService.ts';

const params = z.object({ id: ProjectIdSchema });
const failures = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETED', 'UNAVAILABLE'] as const;

const logRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/logs',
  summary: "The running backend's log",
  description:
    'NDJSON, the last `limit` lines that fit the filters, or those after `after`. With `follow=true`: server-sent events ' +
    '`log`, one for each line, until the client leaves; where the platform cannot keep an answer open (AWS), those that ' +
    'are there: ask again with `after`, the last one’s id. Lines are kept for a while, not for ever.',
  request: { params, query: ServiceLogQuerySchema },
  responses: {
    200: {
      description: 'Log lines, oldest first',
      content: {
        'application/x-ndjson': { schema: ServiceLogLineSchema },
        'text/event-stream': { schema: ServiceLogLineSchema },
      },
    },
    ...problemResponses(ProblemSchema, ...failures),
  },
});

const serviceRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/service',
  summary: 'The running backend: its versions, and its numbers',
  description: 'Each version is a deployment with a version of the variables. Numbers count from `counts.since` on.',
  request: { params },
  responses: {
    200: { description: 'The service', content: { 'application/json': { schema: ProjectServiceSchema } } },
    ...problemResponses(ProblemSchema, ...failures),
  },
});

const LOOK_MS = 500;
const HEARTBEAT_MS = 15_000;
/** A connection is ended after this long where the platform cannot keep one open; the client comes again. */
const MAX_FOLLOW_MS = 600_000;

export function registerServices(
  app: Api,
  deps: Pick<ApiDeps, 'findProject' | 'services' | 'clock' | 'logStreamUrl'>,
): void {
  app.openapi(serviceRoute, async (c) => {
    const { id } = c.req.valid('param');
    await deps.findProject(id, c.get('owner'));
    const [items, counts] = deps.services
      ? await Promise.all([deps.services.list(id), deps.services.counts(id)])
      : [[], undefined];
    return c.json({ projectId: id, items: items.map(viewService), ...(counts && { counts }) }, 200);
  });

  app.openapi(logRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { follow, ...query } = c.req.valid('query');
    await deps.findProject(id, c.get('owner'));
    if (follow === 'true') {
      c.header('X-Accel-Buffering', 'no');
      return streamSSE(c, async (out) => {
        const gone = new AbortController();
        out.onAbort(() => gone.abort());
        const limit = setTimeout(() => gone.abort(), MAX_FOLLOW_MS);
        try {
          // Where logs of deployments are followed elsewhere, an answer of this API is sent when it is whole.
          const staysOpen = deps.logStreamUrl === undefined;
          for await (const text of followLines(deps.services, id, query, gone.signal, staysOpen)) await out.write(text);
        } finally {
          clearTimeout(limit);
        }
      });
    }
    const lines = (await deps.services?.readLog(id, query)) ?? [];
    c.header('Content-Type', 'application/x-ndjson; charset=utf-8');
    return c.body(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
}

/** Lines as server-sent events, those to come included, and a comment now and then by which a lost client is noticed. */
async function* followLines(
  services: ServiceReports | undefined,
  projectId: string,
  query: Omit<ServiceLogQuery, 'follow'>,
  signal: AbortSignal,
  staysOpen: boolean,
): AsyncGenerator<string> {
  let { after } = query;
  let quiet = 0;
  while (services && !signal.aborted) {
    const lines = await services.readLog(projectId, { ...query, after });
    const last = lines.at(-1);
    if (last) {
      after = last.seq;
      quiet = 0;
      yield lines.map((line) => `id: ${line.seq}\nevent: log\ndata: ${JSON.stringify(line)}\n\n`).join('');
    }
    if (!staysOpen) return;
    if (last) continue;
    // From here on everything that comes is wanted, also where there was nothing yet.
    after ??= '0';
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    quiet += LOOK_MS;
    if (quiet % HEARTBEAT_MS === 0) yield ': still here\n\n';
  }
}
