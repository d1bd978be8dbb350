import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import { AuditListSchema, AuditQuerySchema } from '../../../contract/people.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'get',
  path: '/audit',
  summary: 'Who has changed what, newest first',
  description: 'Entries hold names and ids, and never a token or the value of a variable.',
  request: { query: AuditQuerySchema },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: AuditListSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'UNAVAILABLE'),
  },
});

export function registerAudit(app: Api, deps: Pick<ApiDeps, 'readAudit'>): void {
  app.openapi(route, async (c) =>
    c.json(await deps.readAudit({ owner: c.get('owner'), ...c.req.valid('query') }), 200),
  );
}
