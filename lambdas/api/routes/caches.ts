import { createRoute, z } from '@hono/zod-openapi';
import { DroppedCachesSchema, ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import type { Api } from '../../shared/http/guard.ts';
import { problemResponses } from '../../shared/http/problem.ts';
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
    ...problemResponses(
      ProblemSchema,
      'INVALID_REQUEST',
      'UNAUTHORIZED',
      'NOT_FOUND',
      'PROJECT_DELETED',
      'UNAVAILABLE',
    ),
  },
});

export function registerCaches(app: Api, deps: Pick<ApiDeps, 'findProject' | 'dropCaches' | 'audit'>): void {
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    await deps.findProject(id, owner);
    const dropped = await deps.dropCaches(id);
    await deps.audit({ owner, by, action: 'cache.drop', projectId: id });
    return c.json({ projectId: id, dropped }, 200);
  });
}
