import { createRoute, z } from '@hono/zod-openapi';
import { ulid } from 'ulid';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import type { Target } from '../../../contract/builders.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { Caller } from '../../../contract/people.ts';
import type { ProjectDocument, Release } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import {
  PromoteRequestSchema,
  type ReleaseHistory,
  ReleaseHistorySchema,
  RollbackRequestSchema,
} from '../../../contract/releases.ts';
import { pinProject, releaseBefore, releaseOnRequest, unpinProject, variablesReleased } from '../../domain/releases.ts';
import { builtDeployment } from '../../domain/sameAs.ts';
import { builtParts, mayBeShown } from '../../domain/shown.ts';
import { type Api, jsonIfAny } from '../../shared/http/guard.ts';
import { idParams, ownDeployment } from '../../shared/http/ownDeployment.ts';
import { changeFailures, failWith, problemResponses } from '../../shared/http/problem.ts';
import { requireKept } from '../../shared/projects/expiry.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import { queueSwitched } from '../../shared/queueRelease.ts';
import type { ApiDeps } from '../deps.ts';

export const releaseHistory = { content: { 'application/json': { schema: ReleaseHistorySchema } } };
const project = { params: z.object({ id: ProjectIdSchema }) };
const body = <S extends z.ZodType>(schema: S) => ({
  required: false,
  content: { 'application/json': { schema } },
});

const promoteRoute = createRoute({
  method: 'post',
  path: '/deployments/{id}/promote',
  middleware: jsonIfAny,
  summary: 'Make production serve a deployment',
  description: 'Nothing is built. Visitors see it within seconds; a body is not needed.',
  request: { params: idParams, body: body(PromoteRequestSchema) },
  responses: {
    202: { description: 'Released; production follows', ...releaseHistory },
    ...problemResponses(
      ProblemSchema,
      ...changeFailures,
      ...(['NOT_RELEASABLE', 'UNTRUSTED_NOT_RELEASABLE', 'DEPLOYMENT_EXPIRED', 'UNAVAILABLE'] as const),
    ),
  },
});

const rollbackRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/rollback',
  middleware: jsonIfAny,
  summary: 'Go back to an earlier release',
  description:
    'Without "deploymentId" to what was released before. A newer deployment is released by itself again; pin the project to prevent that.',
  request: { ...project, body: body(RollbackRequestSchema) },
  responses: {
    202: { description: 'Released; production follows', ...releaseHistory },
    ...problemResponses(
      ProblemSchema,
      ...changeFailures,
      ...([
        'NO_RELEASE_BEFORE',
        'NOT_RELEASABLE',
        'UNTRUSTED_NOT_RELEASABLE',
        'DEPLOYMENT_EXPIRED',
        'UNAVAILABLE',
      ] as const),
    ),
  },
});

const historyRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/releases',
  summary: 'What production serves and has served',
  request: project,
  responses: {
    200: { description: 'Newest first', ...releaseHistory },
    ...problemResponses(ProblemSchema, 'INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'UNAVAILABLE'),
  },
});

const pinRoute = (what: 'pin' | 'unpin', summary: string) =>
  createRoute({
    method: 'post',
    path: `/projects/{id}/${what}`,
    middleware: jsonIfAny,
    summary,
    request: { ...project, body: body(z.strictObject({})) },
    responses: {
      200: { description: 'The project is as it was asked for', ...releaseHistory },
      ...problemResponses(ProblemSchema, ...changeFailures, 'UNAVAILABLE'),
    },
  });

export const historyOf = ({ projectId, release, pinned, releases, nextRelease }: ProjectDocument): ReleaseHistory => ({
  ...{ projectId, release, pinned, releases },
  ...(nextRelease && { nextRelease }),
});

/** Throws NOT_RELEASABLE, UNTRUSTED_NOT_RELEASABLE or DEPLOYMENT_EXPIRED. */
export async function checkReleasable(deps: Pick<ApiDeps, 'hasObject'>, record: DeploymentRecord): Promise<void> {
  const { status, projectId, expired } = record;
  if (!mayBeShown(record)) return failWith('NOT_RELEASABLE', { status });
  // Production would run it with production's secrets.
  if (record.plan?.lane === 'untrusted') return failWith('UNTRUSTED_NOT_RELEASABLE');
  const hasSite = builtParts(record).includes('frontend');
  if (expired || (hasSite && !(await deps.hasObject(s3Keys.deploymentManifest(projectId, builtDeployment(record))))))
    return failWith('DEPLOYMENT_EXPIRED');
}

/** What is to be released. */
interface Chosen {
  readonly record: DeploymentRecord;
  /** Parts of it. @default - all that it has */
  readonly targets?: readonly Target[];
  /** @default - those that it began with */
  readonly variables?: Release['variables'];
}

/** Writes a release into the document, which decides between two at once; what serves follows it. */
export async function switchTo(
  deps: ApiDeps,
  caller: Caller,
  { projectId, owner }: Pick<ProjectDocument, 'projectId' | 'owner'>,
  kind: 'promote' | 'rollback',
  reason: string | undefined,
  choose: (project: ProjectDocument) => Promise<Chosen>,
): Promise<ReleaseHistory> {
  const at = deps.clock.now();
  const releaseId = ulid(at).toLowerCase();
  const found = requireActive(await deps.findProject(projectId, owner));
  const { record, variables, targets = builtParts(record) } = await choose(found);
  await checkReleasable(deps, record);
  const deploymentId = builtDeployment(record);
  const release = {
    ...{ releaseId, deploymentId, kind, by: caller.name, at, targets: [...targets] },
    ...(variables && { variables }),
    ...(reason !== undefined && { reason }),
  };
  if (releaseOnRequest(found, release) === found) return historyOf(found);
  await queueSwitched(deps, { projectId, owner, releaseId });
  const after = await deps.projects.change(projectId, (before) =>
    releaseOnRequest(requireKept(before, deploymentId), release),
  );
  await deps.waker.wake('releaser');
  await deps.audit({
    ...{ owner, by: caller.name, action: `release.${kind}`, projectId, subject: deploymentId },
    ...(reason !== undefined && { detail: reason }),
  });
  deps.log.info('A deployment was released', { projectId, deploymentId, kind, by: caller.name });
  return historyOf(after ?? found);
}

export function registerReleases(app: Api, deps: ApiDeps): void {
  app.openapi(promoteRoute, async (c) => {
    const caller = c.get('caller');
    const { record } = await ownDeployment(deps, caller, c.req.valid('param').id);
    const { projectId, owner } = record;
    if (!mayBeShown(record)) return failWith('NOT_RELEASABLE', { status: record.status });
    const { reason } = c.req.valid('json');
    return c.json(await switchTo(deps, caller, { projectId, owner }, 'promote', reason, async () => ({ record })), 202);
  });

  app.openapi(rollbackRoute, async (c) => {
    const caller = c.get('caller');
    const { deploymentId, reason } = c.req.valid('json');
    const of = { projectId: c.req.valid('param').id, owner: caller.owner };
    const choose = async (found: ProjectDocument) => {
      const named = deploymentId !== undefined && { deploymentId, variables: variablesReleased(found, deploymentId) };
      const chosen = named || releaseBefore(found);
      const { record } = await ownDeployment(deps, caller, chosen.deploymentId);
      // A deployment of another project is none of this one's, whoever owns it.
      if (record.projectId !== of.projectId) return failWith('NOT_FOUND', { what: `deployment "${deploymentId}"` });
      return { ...chosen, record };
    };
    return c.json(await switchTo(deps, caller, of, 'rollback', reason, choose), 202);
  });

  app.openapi(historyRoute, async (c) =>
    c.json(historyOf(await deps.findProject(c.req.valid('param').id, c.get('owner'))), 200),
  );

  const changePin = async (caller: Caller, projectId: string, what: 'pin' | 'unpin'): Promise<ReleaseHistory> => {
    const found = requireActive(await deps.findProject(projectId, caller.owner));
    const after = await deps.projects.change(projectId, (before) =>
      what === 'pin' ? pinProject(before, caller.name, deps.clock.now()) : unpinProject(before),
    );
    await deps.audit({ owner: caller.owner, by: caller.name, action: `project.${what}`, projectId });
    return historyOf(after ?? found);
  };
  app.openapi(pinRoute('pin', 'Keep what production serves'), async (c) =>
    c.json(await changePin(c.get('caller'), c.req.valid('param').id, 'pin'), 200),
  );
  app.openapi(pinRoute('unpin', 'Let production follow its deployments again'), async (c) =>
    c.json(await changePin(c.get('caller'), c.req.valid('param').id, 'unpin'), 200),
  );
}
