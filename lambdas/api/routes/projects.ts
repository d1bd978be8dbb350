import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ProblemSchema, ProjectIdSchema, ProjectListQuerySchema } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { Caller } from '../../../contract/people.ts';
import {
  type ProjectDocument,
  ProjectListSchema,
  type ProjectSettings,
  type ProjectView,
  ProjectViewSchema,
  SettingsPatchSchema,
} from '../../../contract/project.ts';
import { claimSettings } from '../../shared/deployments/claimProject.ts';
import { clearFault, faultsOf } from '../../shared/gitHosts/gitFault.ts';
import { type Api, type ApiEnv, jsonOnly } from '../../shared/http/guard.ts';
import { answerInvalid, failWith, problemResponses } from '../../shared/http/problem.ts';
import { applyMergePatch } from '../../shared/mergePatch.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import { queueProject } from '../../shared/queueRelease.ts';
import { CheckedSettingsSchema } from '../checkSettings.ts';
import { askDeletion, askRestore } from '../deleteProject.ts';
import type { ApiDeps } from '../deps.ts';

const params = z.object({ id: ProjectIdSchema });
const answered = (description: string) => ({
  description,
  content: { 'application/json': { schema: ProjectViewSchema } },
});
const readFailures = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETED', 'UNAVAILABLE'] as const;
const writeFailures = [
  ...readFailures,
  'WATCH_UNAVAILABLE',
  'MALFORMED_JSON',
  'BODY_TOO_LARGE',
  'GIT_URL_UNSUPPORTED',
  'GIT_HOST_FORBIDDEN',
  'PROJECT_DELETING',
  'FORBIDDEN',
] as const;

const listRoute = createRoute({
  method: 'get',
  path: '/projects',
  summary: 'Projects, by name',
  request: { query: ProjectListQuerySchema },
  responses: {
    200: { description: 'One page', content: { 'application/json': { schema: ProjectListSchema } } },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'UNAVAILABLE'),
  },
});

const readRoute = createRoute({
  method: 'get',
  path: '/projects/{id}',
  summary: 'A project, its settings and what production serves',
  request: { params },
  responses: { 200: answered('The project'), ...problemResponses(ProblemSchema, ...readFailures) },
});

const putRoute = createRoute({
  method: 'put',
  path: '/projects/{id}',
  middleware: jsonOnly,
  summary: 'Make a project, or replace its settings',
  description: 'A deployment wins over these settings field by field, and they win over `veren.json` and detection.',
  request: {
    params,
    body: { required: true, content: { 'application/json': { schema: CheckedSettingsSchema } } },
  },
  responses: {
    200: answered('Its settings were replaced'),
    201: answered('The project was made'),
    ...problemResponses(ProblemSchema, ...writeFailures),
  },
});

const patchRoute = createRoute({
  method: 'patch',
  path: '/projects/{id}',
  middleware: jsonOnly,
  summary: 'Change some settings of a project',
  request: {
    params,
    body: { required: true, content: { 'application/json': { schema: SettingsPatchSchema } } },
  },
  responses: { 200: answered('The project'), ...problemResponses(ProblemSchema, ...writeFailures) },
});

const deleteRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}',
  summary: 'Delete a project and everything that it has',
  description:
    'What runs is canceled, and nothing can be deployed any more. After a delay its files, images, variables, domains, caches, records, logs, addresses and its name go; until then `POST /projects/{id}/restore` takes it back. With `confirm={id}` the removal begins at once. `GET` says what was removed.',
  request: { params, query: z.strictObject({ confirm: z.string().max(63).optional() }) },
  responses: {
    202: answered('It will be removed'),
    ...problemResponses(ProblemSchema, ...readFailures, 'CONFIRMATION_WRONG'),
  },
});

const restoreRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/restore',
  summary: 'Take the deletion of a project back',
  description: 'What was canceled stays canceled. A project that is not being deleted stays as it is.',
  request: { params },
  responses: {
    200: answered('The project'),
    ...problemResponses(ProblemSchema, ...readFailures, 'RESTORE_TOO_LATE'),
  },
});

function viewProject(project: ProjectDocument): ProjectView {
  const { projectId, createdAt, updatedAt, settings, release, pinned, deleting } = project;
  const gitFaults = faultsOf(project);
  const { removal, ...deletion } = deleting ?? {};
  return {
    ...{ projectId, createdAt, updatedAt, settings, release, pinned },
    ...(gitFaults[0] && { gitFault: gitFaults[0], gitFaults: [...gitFaults] }),
    ...(deleting && { deleting: { ...deletion, by: deleting.by, at: deleting.at, restorable: !removal } }),
  };
}

/**
 * True where a member says which repository is meant: the connection is taken away, or names it after it was told that
 * another one has the name. A change of something else of the connection must not let that one in.
 */
function saysRepository(patch: z.output<typeof SettingsPatchSchema>, project: ProjectDocument): boolean {
  const connection = patch.connection as { readonly repository?: unknown } | null | undefined;
  if (connection === null) return true;
  return (
    connection?.repository !== undefined && faultsOf(project).some(({ code }) => code === 'GIT_REPOSITORY_REPLACED')
  );
}

export function registerProjects(app: Api, deps: ApiDeps): void {
  const { projects } = deps;
  const noteChange = (c: Context<ApiEnv>, action: string, projectId: string, detail: string) =>
    deps.audit({ owner: c.get('owner'), by: c.get('caller').name, action, projectId, detail: detail.slice(0, 1_000) });
  /** Throws GIT_URL_UNSUPPORTED, WATCH_UNAVAILABLE. */
  const normalised = (settings: ProjectSettings): ProjectSettings => {
    if (settings.connection?.watch && !deps.canWatch) throw new VerenError('WATCH_UNAVAILABLE', {});
    return settings.gitUrl === undefined ? settings : { ...settings, gitUrl: deps.normaliseGitUrl(settings.gitUrl) };
  };

  /** A token that is limited to projects learns no other's name, by a cursor neither. */
  async function listProjects(caller: Caller, query: { limit: number; cursor?: string }) {
    if (!caller.projects) return projects.page(caller.owner, query);
    const ids = [...new Set(caller.projects)].toSorted().filter((id) => id > (query.cursor ?? ''));
    const asked = ids.slice(0, query.limit);
    const found = await Promise.all(asked.map((id) => projects.get(id)));
    const items = found.flatMap((project) => (project?.owner === caller.owner ? [project] : []));
    const last = asked.at(-1);
    return { items, ...(last !== undefined && ids.length > asked.length && { cursor: last }) };
  }

  /** Protection and maintenance are in the routes, which follow the settings. */
  const rewriteAddresses = ({ projectId, owner, updatedAt }: ProjectDocument) =>
    queueProject(deps, { projectId, owner }, updatedAt);

  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const page = await listProjects(c.get('caller'), { limit, ...(cursor !== undefined && { cursor }) });
    return c.json({ ...page, items: page.items.map(viewProject) }, 200);
  });

  app.openapi(readRoute, async (c) =>
    c.json(viewProject(await deps.findProject(c.req.valid('param').id, c.get('owner'))), 200),
  );

  app.openapi(putRoute, async (c) => {
    const { id } = c.req.valid('param');
    const settings = normalised(c.req.valid('json'));
    if (settings.connection?.app && !(await projects.get(id))) requireAppAllowed(c.get('caller'), {}, settings);
    const { project, isNew } = await claimSettings(deps, c.get('owner'), id, settings);
    const changed = isNew
      ? project
      : await replaceSettings(id, project.addressKey, (before) => {
          requireAppAllowed(c.get('caller'), before, settings);
          return settings;
        });
    await noteChange(c, isNew ? 'project.create' : 'project.update', id, Object.keys(settings).join(', '));
    await rewriteAddresses(changed);
    return isNew ? c.json(viewProject(changed), 201) : c.json(viewProject(changed), 200);
  });

  app.openapi(patchRoute, async (c) => {
    const { id } = c.req.valid('param');
    const patch = c.req.valid('json');
    const { addressKey } = await deps.findProject(id, c.get('owner'));
    let fault: z.ZodError | undefined;
    const changed = await replaceSettings(id, addressKey, (before) => {
      const parsed = CheckedSettingsSchema.safeParse(applyMergePatch(before, patch));
      fault = parsed.error;
      if (parsed.success) requireAppAllowed(c.get('caller'), before, parsed.data);
      return parsed.success ? normalised(parsed.data) : before;
    });
    if (fault) return answerInvalid(c, fault) as never;
    if (saysRepository(patch, changed)) {
      await deps.gitState.forgetRepository(changed);
      await clearFault(deps, id, ['GIT_REPOSITORY_REPLACED']);
    }
    await noteChange(c, 'project.update', id, Object.keys(patch).join(', '));
    await rewriteAddresses(changed);
    return c.json(viewProject(changed), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { confirm } = c.req.valid('query');
    if (confirm !== undefined && confirm !== id) throw new VerenError('CONFIRMATION_WRONG', { projectId: id });
    const project = await deps.findProject(id, c.get('owner'));
    const changed = await askDeletion(deps, project, c.get('caller').name, { atOnce: confirm !== undefined });
    await noteChange(c, 'project.delete', id, `from ${changed.deleting?.until} on`);
    return c.json(viewProject(changed), 202);
  });

  app.openapi(restoreRoute, async (c) => {
    const { id } = c.req.valid('param');
    const changed = await askRestore(deps, await deps.findProject(id, c.get('owner')));
    await noteChange(c, 'project.restore', id, '');
    await rewriteAddresses(changed);
    return c.json(viewProject(changed), 200);
  });

  /** The App reads every repository that it is installed on: which of them a project is, is the owner's matter. */
  function requireAppAllowed(caller: Caller, before: ProjectSettings, { connection, gitUrl }: ProjectSettings): void {
    const isSame = before.connection?.app && before.connection.repository === connection?.repository;
    if (!caller.projects || !connection?.app || (isSame && before.gitUrl === gitUrl)) return;
    failWith('FORBIDDEN', { reason: 'it is limited to projects, and the App reads more than these.' });
  }

  /** @param addressKey That of the project which is meant: another one of its name may have been made meanwhile. */
  async function replaceSettings(
    projectId: string,
    addressKey: string,
    change: (before: ProjectSettings) => ProjectSettings,
  ): Promise<ProjectDocument> {
    const changed = await projects.change(projectId, (project) => {
      if (project.addressKey !== addressKey) throw notFound(projectId);
      const before = requireActive(project).settings;
      const settings = change(before);
      return settings === before ? project : { ...project, settings };
    });
    if (!changed) throw notFound(projectId);
    return changed;
  }
}

const notFound = (projectId: string) => new VerenError('NOT_FOUND', { what: `project "${projectId}"` });
