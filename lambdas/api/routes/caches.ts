import { createRoute, z } from '@hono/zod-openapi';
import { DroppedCachesSchema, ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import type { Api } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';

const route = createRoute({
  method: 'delete',
  path: '/projects/{id}/cache',
  summary: 'Drop the caches of a project',
  description:
    'Installed packages, downloads, compiled code and image layers of every lane. Nothing that is deployed changes; the next builds start without, and builds that run now keep nothing of what they began with.',
  request: { params: z.object({ id: ProjectIdSchema }) },
  responses: {
    200: { description: 'What was dropped', content: { 'application/json': { schema: DroppedCachesSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

export function registerCaches(app: Api, deps: Pick<ApiDeps, 'store' | 'dropCaches'>): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    // The answer for another owner's project is that of a project that does not exist.
    if ((await deps.store.projectOwner(id)) !== c.get('owner'))
      return failWith('NOT_FOUND', { what: `project "${id}"` });
    return c.json({ projectId: id, dropped: await deps.dropCaches(id) }, 200);
  });
}
