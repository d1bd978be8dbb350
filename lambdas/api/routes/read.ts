import { createRoute } from '@hono/zod-openapi';
import {
  DeploymentListSchema,
  type DeploymentView,
  DeploymentViewSchema,
  ListQuerySchema,
  ProblemSchema,
} from '../../../contract/api.ts';
import type { Api } from '../../shared/http/guard.ts';
import { idParams, ownDeployment } from '../../shared/http/ownDeployment.ts';
import { problemResponses } from '../../shared/http/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { listForCaller } from '../listForCaller.ts';
import { projectsOf, viewRecord, waitingBuilds } from '../view.ts';
import { askServicesOnce } from '../viewService.ts';

/** Limit for the bytes of the records of one page, so that the answer fits into Lambda's limit. */
const MAX_PAGE_BYTES = 2_500_000;

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
  description:
    'A token that is limited to projects sees theirs. Its pages may hold fewer than `limit`, or none; go on while there is a `cursor`.',
  request: {
    query: ListQuerySchema,
  },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: DeploymentListSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

export function registerRead(app: Api, deps: ApiDeps): void {
  app.openapi(readRoute, async (c) => {
    const { record } = await ownDeployment(deps, c.get('caller'), c.req.valid('param').id);
    const origin = deps.linkOrigin(c.env);
    const [waiting, projectOf] = await Promise.all([waitingBuilds(deps, [record]), projectsOf(deps, [record])]);
    return c.json(await viewRecord(deps, origin, record, waiting, projectOf(record)), 200);
  });

  app.openapi(listRoute, async (c) => {
    const page = await listForCaller(deps.store, c.get('caller'), c.req.valid('query'));
    const [waiting, projectOf] = await Promise.all([waitingBuilds(deps, page.items), projectsOf(deps, page.items)]);
    const origin = deps.linkOrigin(c.env);
    const view = { ...deps, services: deps.services && askServicesOnce(deps.services) };
    const items: DeploymentView[] = await Promise.all(
      page.items.map((r) => viewRecord(view, origin, r, waiting, projectOf(r))),
    );
    const fitting = fitBytes(items, MAX_PAGE_BYTES);
    const next = fitting.length < items.length ? fitting.at(-1)?.deploymentId : page.cursor;
    return c.json({ items: fitting, ...(next !== undefined && { cursor: next }) }, 200);
  });
}

/** The first items that fit together; at least one. */
function fitBytes<T>(items: readonly T[], limit: number): T[] {
  let bytes = 0;
  const end = items.findIndex((item, i) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return i > 0 && bytes > limit;
  });
  return items.slice(0, end < 0 ? items.length : end);
}
