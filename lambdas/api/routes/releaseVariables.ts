import { createRoute, z } from '@hono/zod-openapi';
import { ulid } from 'ulid';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import type { Caller } from '../../../contract/people.ts';
import type { NextRelease, ProjectDocument } from '../../../contract/project.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { type ReleaseHistory, ReleaseRequestSchema } from '../../../contract/releases.ts';
import { releaseWith, requestRelease } from '../../domain/releases.ts';
import { builtDeployment } from '../../domain/sameAs.ts';
import { builtParts } from '../../domain/shown.ts';
import { type Api, jsonOnly } from '../../shared/http/guard.ts';
import { ownDeployment } from '../../shared/http/ownDeployment.ts';
import { changeFailures, failWith, problemResponses } from '../../shared/http/problem.ts';
import { requireKept } from '../../shared/projects/expiry.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import { queueReleaseStart } from '../../shared/services/queueService.ts';
import type { ApiDeps } from '../deps.ts';
import { checkReleasable, historyOf, releaseHistory, switchTo } from './releases.ts';

const SITE_KEEPS = 'The site keeps the variables that it was built with; the next deployment builds it with new ones.';

const releaseRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/releases',
  middleware: jsonOnly,
  summary: 'Release the backend with the current variables',
  description:
    'Nothing is built: the backend is started anew, and production switches to it when it has answered its health path. ' +
    'Until then it is `nextRelease`; with `error` there it did not answer, and production is what it was. A rollback ' +
    'brings the earlier variables back. What was built into a site stays as it is.',
  request: {
    params: z.object({ id: ProjectIdSchema }),
    body: { required: true, content: { 'application/json': { schema: ReleaseRequestSchema } } },
  },
  responses: {
    202: { description: 'The backend is being started, or runs with the current variables already', ...releaseHistory },
    ...problemResponses(
      ProblemSchema,
      ...changeFailures,
      ...([
        'VARIABLES_NOT_RELEASABLE',
        'NOT_RELEASABLE',
        'UNTRUSTED_NOT_RELEASABLE',
        'DEPLOYMENT_EXPIRED',
        'UNAVAILABLE',
      ] as const),
    ),
  },
});

const refuseWith = (reason: string) => failWith('VARIABLES_NOT_RELEASABLE', { reason });

export function registerReleaseVariables(app: Api, deps: ApiDeps): void {
  app.openapi(releaseRoute, async (c) => {
    const caller = c.get('caller');
    const { deploymentId, reason } = c.req.valid('json');
    const project = requireActive(await deps.findProject(c.req.valid('param').id, caller.owner));
    const record = await findBackend(deps, caller, project, deploymentId);
    const history = await releaseCurrent(deps, caller, project, record, reason);
    const note = builtParts(record).includes('frontend') && { note: SITE_KEEPS };
    return c.json({ ...history, ...note }, 202);
  });
}

/**
 * The deployment whose backend is to be started anew, as it was built. Throws VARIABLES_NOT_RELEASABLE, NOT_RELEASABLE,
 * DEPLOYMENT_EXPIRED, NOT_FOUND.
 */
async function findBackend(
  deps: ApiDeps,
  caller: Caller,
  project: ProjectDocument,
  named: string | undefined,
): Promise<DeploymentRecord> {
  const { projectId } = project;
  if (!deps.services) return refuseWith('this platform builds backends and does not run them.');
  const asked = named ?? releaseWith(project, 'backend')?.deploymentId;
  if (asked === undefined) return refuseWith('production shows no backend of this project.');
  const { record: found } = await ownDeployment(deps, caller, asked);
  if (found.projectId !== projectId) return failWith('NOT_FOUND', { what: `deployment "${asked}"` });
  const built = builtDeployment(found);
  const record = built === asked ? found : (await ownDeployment(deps, caller, built)).record;
  await checkReleasable(deps, record);
  const artifact = record.builds.backend?.artifact;
  if (!artifact || !builtParts(record).includes('backend')) return refuseWith('this deployment has no backend.');
  if (artifact.kind === 'folder' && !(await deps.hasObject(artifact.key))) return failWith('DEPLOYMENT_EXPIRED');
  const listed = await deps.services.list(projectId);
  const notRun = listed.find(({ deploymentId, state }) => deploymentId === built && state === 'not-run');
  return notRun ? refuseWith(`its backend is not run here: ${notRun.reason ?? 'it cannot be'}.`) : record;
}

/** What is released or being started already is not started again. */
async function releaseCurrent(
  deps: ApiDeps,
  caller: Caller,
  project: ProjectDocument,
  record: DeploymentRecord,
  reason: string | undefined,
): Promise<ReleaseHistory> {
  const { projectId, owner } = project;
  const { deploymentId } = record;
  const shown = releaseWith(project, 'backend');
  const own = record.variables?.version ?? 0;
  const version = (await deps.variables.current(projectId))?.version ?? 0;
  const isShown = shown?.deploymentId === deploymentId;
  if (isShown && version === (shown.variables?.version ?? own)) return historyOf(project);
  // It began with them: nothing has to be started that did not run before.
  if (version <= own) return switchTo(deps, caller, project, 'promote', reason, async () => ({ record }));
  // A part that another deployment shows in production stays with that one.
  const targets = builtParts(record).filter(
    (target) => !isShown || releaseWith(project, target)?.deploymentId === deploymentId,
  );
  const at = deps.clock.now();
  const next: NextRelease = {
    ...{ releaseId: ulid(at).toLowerCase(), deploymentId, kind: 'promote', at: new Date(at).toISOString() },
    ...{ by: caller.name, targets, variables: { version }, ...(reason !== undefined && { reason }) },
  };
  const after = await deps.projects.change(projectId, (before) =>
    requestRelease(requireKept(before, deploymentId), next),
  );
  // Also where it was there already: who asked for it may have died before its job was there.
  if (after?.nextRelease) await queueReleaseStart(deps, { projectId, owner, ...after.nextRelease });
  deps.log.info('A backend is started with other variables', { projectId, deploymentId, version, by: caller.name });
  return historyOf(after ?? project);
}
