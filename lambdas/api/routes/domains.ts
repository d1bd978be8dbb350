import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { DomainListSchema, DomainNameSchema, DomainSchema } from '../../../contract/domains.ts';
import type { Api } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import type { ApiDeps } from '../deps.ts';

const ofProject = z.object({ id: ProjectIdSchema });
const ofDomain = z.object({ id: ProjectIdSchema, name: DomainNameSchema });
const shown = { content: { 'application/json': { schema: DomainSchema } } };
const COMMON = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETING', 'UNAVAILABLE'] as const;

const listRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/domains',
  summary: 'The domains of a project',
  request: { params: ofProject },
  responses: {
    200: {
      description: 'In the order in which they were added, as they were when last looked at',
      content: { 'application/json': { schema: DomainListSchema } },
    },
    ...problemResponses(ProblemSchema, ...COMMON),
  },
});

const showRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/domains/{name}',
  summary: 'How far a domain is',
  description: 'Looks at its DNS and its certificate again where it is not live yet.',
  request: { params: ofDomain },
  responses: { 200: { description: 'The domain', ...shown }, ...problemResponses(ProblemSchema, ...COMMON) },
});

const addRoute = createRoute({
  method: 'put',
  path: '/projects/{id}/domains/{name}',
  summary: 'Show production at a domain of your own',
  description:
    'The answer says what to enter at the host of the domain’s DNS ("dns") and how far it is ("status"). Repeat it, or GET it, until it is "live".',
  request: { params: ofDomain },
  responses: {
    200: { description: 'The domain', ...shown },
    ...problemResponses(ProblemSchema, ...COMMON, 'DOMAIN_TAKEN', 'DOMAIN_REFUSED'),
  },
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/domains/{name}',
  summary: 'Give a domain up',
  description: 'The site is no longer shown there, and another project may have the name.',
  request: { params: ofDomain },
  responses: {
    200: {
      description: 'What was removed',
      content: { 'application/json': { schema: DomainSchema.pick({ projectId: true, name: true }) } },
    },
    ...problemResponses(ProblemSchema, ...COMMON),
  },
});

export function registerDomains(app: Api, deps: Pick<ApiDeps, 'findProject' | 'audit' | 'ownDomains'>): void {
  const activeProject = async (owner: string, id: string) => requireActive(await deps.findProject(id, owner));
  const missing = (name: string): never => failWith('NOT_FOUND', { what: `domain "${name}"` });

  app.openapi(listRoute, async (c) => {
    const project = await deps.findProject(c.req.valid('param').id, c.get('owner'));
    return c.json({ projectId: project.projectId, domains: (await deps.ownDomains?.list(project)) ?? [] }, 200);
  });
  app.openapi(showRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const domain = await deps.ownDomains?.look(await deps.findProject(id, c.get('owner')), name);
    return c.json(domain ?? missing(name), 200);
  });
  app.openapi(addRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const project = await activeProject(c.get('owner'), id);
    if (!deps.ownDomains)
      return failWith('DOMAIN_REFUSED', { name, reason: 'this stage is not set up for own domains (docs/deploy.md).' });
    const domain = await deps.ownDomains.add(project, name);
    const { owner, name: by } = c.get('caller');
    if (!project.domains?.includes(name))
      await deps.audit({ owner, by, action: 'domain.add', projectId: id, subject: name });
    return c.json(domain, 200);
  });
  app.openapi(removeRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const project = await activeProject(c.get('owner'), id);
    if (!(await deps.ownDomains?.remove(project, name))) return missing(name);
    const { owner, name: by } = c.get('caller');
    await deps.audit({ owner, by, action: 'domain.remove', projectId: id, subject: name });
    return c.json({ projectId: id, name }, 200);
  });
}
