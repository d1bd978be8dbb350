import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { CreateDeployHookSchema, CreatedDeployHookSchema, DeployHookListSchema } from '../../../contract/gitApi.ts';
import type { StoredDeployHook } from '../../shared/gitHosts/deployHooks.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import type { ApiDeps } from '../deps.ts';

const params = z.object({ id: ProjectIdSchema });
const failures = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETED', 'UNAVAILABLE'] as const;

const listRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/deploy-hooks',
  summary: 'Deploy hooks of a project',
  description: 'Their secrets are not shown.',
  request: { params },
  responses: {
    200: { description: 'The hooks', content: { 'application/json': { schema: DeployHookListSchema } } },
    ...problemResponses(ProblemSchema, ...failures),
  },
});

const createHookRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/deploy-hooks',
  middleware: jsonOnly,
  summary: 'Make a deploy hook',
  description: 'An address that deploys a branch, for a CMS and the like. The answer is the only one that shows it.',
  request: { params, body: { required: true, content: { 'application/json': { schema: CreateDeployHookSchema } } } },
  responses: {
    201: { description: 'The hook', content: { 'application/json': { schema: CreatedDeployHookSchema } } },
    ...problemResponses(
      ProblemSchema,
      ...failures,
      ...(['MALFORMED_JSON', 'BODY_TOO_LARGE', 'PROJECT_DELETING', 'NAME_TAKEN', 'TOO_MANY'] as const),
    ),
  },
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/deploy-hooks/{hook}',
  summary: 'Revoke a deploy hook',
  request: { params: z.object({ id: ProjectIdSchema, hook: z.string().max(64) }) },
  responses: { 204: { description: 'Revoked' }, ...problemResponses(ProblemSchema, ...failures) },
});

const viewHook = ({ hash: _, ...hook }: StoredDeployHook) => hook;

export function registerDeployHooks(app: Api, deps: ApiDeps): void {
  app.openapi(listRoute, async (c) => {
    const { id } = c.req.valid('param');
    const project = await deps.findProject(id, c.get('owner'));
    return c.json({ items: (await deps.deployHooks.list(project)).map(viewHook) }, 200);
  });

  app.openapi(createHookRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { owner, name: createdBy } = c.get('caller');
    const project = requireActive(await deps.findProject(id, owner));
    const createdAt = new Date(deps.clock.now()).toISOString();
    const { hook, secret } = await deps.deployHooks.create(project, { ...c.req.valid('json'), createdAt, createdBy });
    await deps.audit({ owner, by: createdBy, action: 'deploy-hook.create', projectId: id, subject: hook.name });
    return c.json({ ...viewHook(hook), url: `${deps.linkOrigin(c.env)}/hooks/deploy/${secret}` }, 201);
  });

  app.openapi(removeRoute, async (c) => {
    const { id, hook } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    const project = await deps.findProject(id, owner);
    if (!(await deps.deployHooks.remove(project, hook)))
      return failWith('NOT_FOUND', { what: `deploy hook "${hook}"` });
    await deps.audit({ owner, by, action: 'deploy-hook.delete', projectId: id, subject: hook });
    return c.body(null, 204);
  });
}
