import type { NextRelease, ProjectDocument } from '../../contract/project.ts';
import type { Failure } from '../../contract/record.ts';
import { failure, failureOf } from '../domain/failure.ts';
import { completeRelease, refuseRelease } from '../domain/releases.ts';
import type { ClaimedJob } from '../shared/ports.ts';
import { isMarked, keptReleases } from '../shared/projects/expiry.ts';
import type { ReleaseStart } from '../shared/services/queueService.ts';
import { ServiceFault } from '../shared/services/serviceFault.ts';
import type { ReleaserDeps } from './deps.ts';
import { showRelease } from './release.ts';
import { type ServiceRunner, serviceVersionOf } from './services.ts';

/** Trials of a start that the platform itself could not make. */
const MAX_STARTS = 8;
const RENEW_MS = 20_000;

type RunnerDeps = ReleaserDeps & { readonly runner: ServiceRunner };

/**
 * A backend that was built long ago has to answer with other variables before it is released. The document has what was
 * decided, before anything follows it, so that a crash in between repeats the rest.
 * @param renew Extends the lease.
 */
export async function startRelease(
  deps: RunnerDeps,
  job: ClaimedJob,
  { projectId, owner, deploymentId, releaseId }: ReleaseStart,
  renew: () => Promise<unknown>,
): Promise<void> {
  const project = await deps.projects.get(projectId);
  if (!project || project.deleting) return;
  const next = project.nextRelease;
  if (next?.releaseId === releaseId && !next.error) {
    const timer = setInterval(() => void renew().catch(() => undefined), RENEW_MS);
    const error = await startVersion(deps, job, project, next).finally(() => clearInterval(timer));
    if (error) {
      deps.log.info('A backend did not run with other variables, and production stays as it is', { code: error.code });
      await deps.projects.change(projectId, (before) => refuseRelease(before, releaseId, error));
      return;
    }
    await deps.projects.change(projectId, (before) => completeRelease(before, releaseId, deps.clock.now()));
  }
  const after = await deps.projects.get(projectId);
  const released = after?.releases.find((release) => release.releaseId === releaseId);
  if (released && (await showRelease(deps, { projectId, owner, releaseId }))) {
    const detail = `variables version ${released.variables?.version}`;
    await deps.audit({ owner, by: released.by, action: 'release.promote', projectId, subject: deploymentId, detail });
  }
  if (after && !after.deleting) await removeUnneeded(deps, after, deploymentId);
}

/** Why it does not run; null where it does. Throws what is to be tried again. */
async function startVersion(
  { runner, store, log }: RunnerDeps,
  job: ClaimedJob,
  project: ProjectDocument,
  { deploymentId, variables }: NextRelease,
): Promise<Failure | null> {
  const record = (await store.get(deploymentId))?.record;
  const artifact = record?.builds.backend?.artifact;
  if (!record || !artifact || record.expired || isMarked(project, deploymentId)) return failure('DEPLOYMENT_EXPIRED');
  try {
    const version = await serviceVersionOf(runner, project, record, artifact, variables.version);
    const started = version && (await runner.services.start(version));
    if (started && started.state !== 'not-run') return null;
    const reason = started?.reason ?? 'this deployment has no backend';
    return failure('VARIABLES_NOT_RELEASABLE', { reason: `${reason}.` });
  } catch (error) {
    if (error instanceof ServiceFault) return error.failure;
    if (job.attempt < MAX_STARTS) throw error;
    log.error('A backend could not be started with other variables and is given up', { error });
    return failureOf(error);
  }
}

/** Versions of a deployment that nothing shows, and no release that is gone back to soon, are not kept. */
async function removeUnneeded({ runner, store }: RunnerDeps, project: ProjectDocument, id: string): Promise<void> {
  const record = (await store.get(id))?.record;
  if (!record) return;
  const kept = new Set<number>([record.variables?.version ?? 0]);
  for (const { deploymentId, variables } of keptReleases(project))
    if (deploymentId === id && variables) kept.add(variables.version);
  const { projectId } = project;
  for (const { deploymentId, variables } of await runner.services.list(projectId))
    if (deploymentId === id && !kept.has(variables)) await runner.services.remove(projectId, id, variables);
}
