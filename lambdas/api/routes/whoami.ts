import { createRoute } from '@hono/zod-openapi';
import { ProblemSchema } from '../../../contract/api.ts';
import { CallerSchema } from '../../../contract/people.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';

const route = createRoute({
  method: 'get',
  path: '/whoami',
  summary: 'Who has sent this request, and what the token is good for',
  description: 'For a client that was given a token: whether it is valid, whose it is, and what it may do.',
  responses: {
    200: { description: 'The caller', content: { 'application/json': { schema: CallerSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

export function registerWhoami(app: Api): void {
  app.openapi(route, (c) => {
    const { owner, name, scope, projects, tokenId } = c.get('caller');
    return c.json({ owner, name, scope, ...(projects && { projects }), ...(tokenId && { tokenId }) }, 200);
  });
}
