import { createRoute, z } from '@hono/zod-openapi';
import {
  DeploymentListSchema,
  type DeploymentView,
  DeploymentViewSchema,
  ProblemSchema,
  ProjectIdSchema,
} from '../../../contract/api.ts';
import type { StoredDeployment } from '../../shared/ports.ts';
import type { Api } from '../app.ts';
import type { ApiDeps } from '../deps.ts';
import { fail, problemResponses } from '../problem.ts';
import { view, waitingBuilds } from '../view.ts';

export const idParams = z.object({ id: z.string().max(64) });

const readRoute = createRoute({
  method: 'get',
  path: '/deployments/{id}',
  summary: 'The record of a deployment',
  request: { params: idParams },
  responses: {
    200: { description: 'The record', content: { 'application/json': { schema: DeploymentViewSchema } } },
    ...problemResponses(ProblemSchema, 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/deployments',
  summary: 'Deployments, newest first',
  request: {
    query: z.strictObject({
      projectId: ProjectIdSchema.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().max(64).optional(),
    }),
  },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: DeploymentListSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

export function registerRead(app: Api, deps: ApiDeps): void {
  app.openapi(readRoute, async (c) => {
    const { record } = await ownDeployment(deps, c.get('owner'), c.req.valid('param').id);
    const origin = new URL(c.req.url).origin;
    return c.json(await view(deps, origin, record, await waitingBuilds(deps, [record])), 200);
  });

  app.openapi(listRoute, async (c) => {
    const { projectId, limit, cursor } = c.req.valid('query');
    const page = await deps.store.list({
      owner: c.get('owner'),
      limit,
      ...(projectId !== undefined && { projectId }),
      ...(cursor !== undefined && { cursor }),
    });
    const waiting = await waitingBuilds(deps, page.items);
    const origin = new URL(c.req.url).origin;
    const items: DeploymentView[] = await Promise.all(page.items.map((r) => view(deps, origin, r, waiting)));
    return c.json({ items, ...(page.cursor !== undefined && { cursor: page.cursor }) }, 200);
  });
}

/** The deployment, if it is the caller's; another owner's is not told apart from none. */
export async function ownDeployment(
  deps: Pick<ApiDeps, 'store'>,
  owner: string,
  deploymentId: string,
): Promise<StoredDeployment> {
  const stored = await deps.store.get(deploymentId);
  if (stored?.record.owner !== owner) return fail('NOT_FOUND', { what: `deployment "${deploymentId}"` });
  return stored;
}
