import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema, TicketSchema } from '../../../contract/api.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'post',
  path: '/tickets',
  summary: 'A ticket for one WebSocket connection',
  description:
    'Connect with `?ticket=` within a minute. A browser cannot send the token with a WebSocket, and in a URL it would ' +
    'end up in logs; a ticket is good for one connection and then worthless.',
  responses: {
    201: { description: 'The ticket', content: { 'application/json': { schema: TicketSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

export function registerTickets(app: Api, deps: Pick<ApiDeps, 'tickets'>): void {
  app.openapi(route, async (c) => {
    const { ticket, expiresAt } = await deps.tickets.issue(c.get('caller'));
    return c.json({ ticket, expiresAt: new Date(expiresAt).toISOString() }, 201);
  });
}
