import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { ENVIRONMENTS } from '../../../contract/lanes.ts';
import type { Caller } from '../../../contract/people.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import {
  SetVariableSchema,
  SetVariablesSchema,
  type VariableList,
  VariableListSchema,
  VariableNameSchema,
  VariablesQuerySchema,
  type VariableView,
} from '../../../contract/project-variables.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { changeFailures, failWith, problemResponses } from '../../shared/http/problem.ts';
import { type Setting, settingChange, withoutVariables } from '../../shared/projects/changeVariables.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import { viewVariables } from '../../shared/projects/viewVariables.ts';
import type { ApiDeps } from '../deps.ts';
import { findOutdated } from '../outdatedVariables.ts';

type Query = z.infer<typeof VariablesQuerySchema>;
type Deps = Pick<ApiDeps, 'findProject' | 'variables' | 'secretBox' | 'audit' | 'log' | 'services' | 'store'>;

const ofProject = z.object({ id: ProjectIdSchema });
const ofVariable = z.object({ id: ProjectIdSchema, name: VariableNameSchema });
const list = { description: 'The variables', content: { 'application/json': { schema: VariableListSchema } } };
const problems = problemResponses(
  ProblemSchema,
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'NOT_FOUND',
  'PROJECT_DELETING',
  'VARIABLES_UNREADABLE',
  'UNAVAILABLE',
);
const problemsOfSetting = problemResponses(
  ProblemSchema,
  ...changeFailures,
  'TOO_MANY_VARIABLES',
  'VARIABLES_UNREADABLE',
  'UNAVAILABLE',
  'DISK_FULL',
);
const EFFECT =
  'The next deployment has it; what was built before keeps the version that it was built with. Where that is told by ' +
  '`outdated`, `POST /projects/{id}/releases` starts the backend with it.';

const listRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/variables',
  summary: "A project's variables",
  description: 'The values of secrets are left out.',
  request: { params: ofProject, query: VariablesQuerySchema },
  responses: { 200: list, ...problems },
});
const readRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/variables/{name}',
  summary: 'One variable',
  description: 'One item for each value that the name has in an environment.',
  request: { params: ofVariable, query: VariablesQuerySchema },
  responses: { 200: list, ...problems },
});
const setManyRoute = createRoute({
  method: 'put',
  path: '/projects/{id}/variables',
  middleware: jsonOnly,
  summary: 'Set many variables at once',
  description: `Others stay as they are, unless \`replace\` is true. ${EFFECT}`,
  request: {
    params: ofProject,
    body: { required: true, content: { 'application/json': { schema: SetVariablesSchema } } },
  },
  responses: { 200: list, ...problemsOfSetting },
});
const setRoute = createRoute({
  method: 'put',
  path: '/projects/{id}/variables/{name}',
  middleware: jsonOnly,
  summary: 'Set one variable',
  description: `For the given environments; its value in another one stays. ${EFFECT}`,
  request: {
    params: ofVariable,
    body: { required: true, content: { 'application/json': { schema: SetVariableSchema } } },
  },
  responses: { 200: list, ...problemsOfSetting },
});
const removeAllRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/variables',
  summary: 'Remove all variables',
  description: 'Of all environments, or of one.',
  request: { params: ofProject, query: VariablesQuerySchema },
  responses: { 200: list, ...problems },
});
const removeRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/variables/{name}',
  summary: 'Remove one variable',
  description: 'From all environments, or from one.',
  request: { params: ofVariable, query: VariablesQuerySchema },
  responses: { 200: list, ...problems },
});

export function registerVariables(app: Api, deps: Deps): void {
  const viewItems = async (
    project: ProjectDocument,
    isShown: (item: VariableView) => boolean,
  ): Promise<VariableList> => {
    const { projectId } = project;
    const set = await deps.variables.current(projectId);
    const items = set ? await viewVariables(deps.secretBox, set) : [];
    const outdated = await findOutdated(deps, project, set);
    return { projectId, version: set?.version ?? 0, items: items.filter(isShown), ...(outdated && { outdated }) };
  };
  const noVariable = (name: string) => failWith('NOT_FOUND', { what: `variable "${name}"` });

  app.openapi(listRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { environment } = c.req.valid('query');
    const project = await deps.findProject(id, c.get('owner'));
    return c.json(await viewItems(project, (v) => !environment || v.environments.includes(environment)), 200);
  });

  app.openapi(readRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const { environment } = c.req.valid('query');
    const project = await deps.findProject(id, c.get('owner'));
    const isAsked = (v: VariableView) => v.name === name && (!environment || v.environments.includes(environment));
    const found = await viewItems(project, isAsked);
    return found.items.length > 0 ? c.json(found, 200) : noVariable(name);
  });

  const setVariables = async (c: Caller, projectId: string, setting: Setting): Promise<ProjectDocument> => {
    const project = requireActive(await deps.findProject(projectId, c.owner));
    const change = await settingChange(deps.secretBox, projectId, c.name, setting);
    const set = await deps.variables.change(projectId, change);
    const { secret, environments = ENVIRONMENTS, seenBy = [], replace } = setting;
    const names = Object.keys(setting.env);
    const how = [
      secret ? 'secret' : 'plain',
      environments.join('+'),
      seenBy.length > 0 ? `seen by ${seenBy.join('+')}` : '',
      replace ? 'all others removed' : '',
      `version ${set?.version ?? 0}`,
    ];
    const detail = how.filter((word) => word !== '').join(', ');
    await audit(c, projectId, 'variable.set', names, detail);
    return project;
  };
  /** False where there was nothing to be removed. */
  const removeVariables = async (project: ProjectDocument, c: Caller, query: Query, name?: string) => {
    const { projectId } = requireActive(project);
    const environments = query.environment ? [query.environment] : ENVIRONMENTS;
    let removed = false;
    const set = await deps.variables.change(projectId, (before) => {
      const after = withoutVariables(before, environments, name);
      removed = after !== before;
      return after;
    });
    if (!removed) return false;
    const detail = `${environments.join('+')}, version ${set?.version}`;
    await audit(c, projectId, 'variable.delete', name === undefined ? [] : [name], detail);
    return true;
  };
  /** Never a value. */
  const audit = async (c: Caller, projectId: string, action: string, names: string[], detail: string) => {
    const subject = names.length === 1 ? { subject: names[0] as string } : {};
    const all = names.length > 1 ? `${detail}: ${names.join(' ')}` : detail;
    await deps.audit({ owner: c.owner, by: c.name, action, projectId, ...subject, detail: all.slice(0, 1_000) });
    deps.log.info('Variables of a project were changed', { projectId, action, names });
  };

  app.openapi(setManyRoute, async (c) => {
    const { id } = c.req.valid('param');
    const project = await setVariables(c.get('caller'), id, c.req.valid('json'));
    return c.json(await viewItems(project, () => true), 200);
  });

  app.openapi(setRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const { value, ...attributes } = c.req.valid('json');
    const project = await setVariables(c.get('caller'), id, { env: { [name]: value }, ...attributes });
    return c.json(await viewItems(project, (v) => v.name === name), 200);
  });

  app.openapi(removeAllRoute, async (c) => {
    const { id } = c.req.valid('param');
    const project = await deps.findProject(id, c.get('owner'));
    await removeVariables(project, c.get('caller'), c.req.valid('query'));
    return c.json(await viewItems(project, () => true), 200);
  });

  app.openapi(removeRoute, async (c) => {
    const { id, name } = c.req.valid('param');
    const project = await deps.findProject(id, c.get('owner'));
    if (!(await removeVariables(project, c.get('caller'), c.req.valid('query'), name))) return noVariable(name);
    return c.json(await viewItems(project, (v) => v.name === name), 200);
  });
}
