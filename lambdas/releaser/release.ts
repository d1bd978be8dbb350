import { setTimeout as sleep } from 'node:timers/promises';
import type { CopyJob, ReleaseJob } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { isConsidered, releaseAutomatically } from '../domain/releases.ts';
import { builtDeployment } from '../domain/sameAs.ts';
import { builtParts, environmentOf, mayBeShown } from '../domain/shown.ts';
import { automaticReleaseId } from '../shared/gitHosts/showsRelease.ts';
import type { ClaimedJob } from '../shared/ports.ts';
import { isMarked } from '../shared/projects/expiry.ts';
import { enqueueReleaseStart } from '../shared/services/queueService.ts';
import { completeCopy } from './completeCopy.ts';
import type { ReleaserDeps } from './deps.ts';
import { notifyRelease } from './notify.ts';
import { applyPreviews, applyProduction, rewritePreviews } from './routes.ts';

/** What the platform itself is called in histories. */
const PLATFORM = 'veren';
/** How long after its job a release may come into the document. */
const CHANGE_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 500;
/** A write of the document takes some tens of milliseconds. */
const MAX_WRITE_LOOKS = 20;
const WRITE_LOOK_MS = 50;
/** Deployments that a look at a project is about. */
const LOOKED_AT = 20;
const PAGE = 100;
/** Before the cursor in the id of a job that continues another. */
const PAGE_MARK = '+';

/** What is to be done with a job: `later` where what it is for has not happened yet. */
export type Handled = 'done' | 'later';

export async function handleRelease(deps: ReleaserDeps, job: ClaimedJob, data: ReleaseJob): Promise<Handled> {
  switch (data.kind) {
    case 'ended':
      await showEnded(deps, data.deploymentId);
      return 'done';
    case 'switched':
      return followSwitch(deps, job, data);
    case 'project':
      await writeProject(deps, job, data);
      return 'done';
    case 'look':
      await lookAtProject(deps, data.projectId);
      return 'done';
    case 'all':
      for await (const projectId of deps.listProjects()) await queueLook(deps, projectId, job.id);
      return 'done';
  }
}

export const laterBy = LOOK_AGAIN_MS;

/** A deployment has something to show: its addresses first, then production where it is production's turn. */
async function showEnded(deps: ReleaserDeps, deploymentId: string): Promise<void> {
  const record = (await deps.store.get(deploymentId))?.record;
  if (!record || !mayBeShown(record)) return;
  const project = await projectOf(deps, record);
  if (!project) return;
  await afterwards(applyPreviews(deps, project, [record], true), () => releaseEnded(deps, project, record));
}

async function releaseEnded(deps: ReleaserDeps, project: ProjectDocument, record: DeploymentRecord): Promise<void> {
  if (environmentOf(record) !== 'production') return;
  const { projectId, owner, deploymentId: ended } = record;
  const deploymentId = builtDeployment(record);
  const releaseId = automaticReleaseId(ended);
  const targets = builtParts(record);
  if (!isConsidered(project, ended) && !isMarked(project, deploymentId)) {
    if (targets.includes('frontend') && !(await completeCopy(deps.objects, projectId, deploymentId))) {
      deps.log.error('A deployment has no files that could be shown, and is not released', { deploymentId });
      return;
    }
    await deps.projects.change(projectId, (before) =>
      isMarked(before, deploymentId)
        ? before
        : releaseAutomatically(before, { releaseId, deploymentId, by: PLATFORM, targets, at: deps.clock.now() }, ended),
    );
  }
  // Also where the release was in the document already: who wrote it may have died before its next step.
  const shown = await applyProduction(deps, projectId);
  if (shown?.release?.releaseId !== releaseId) return;
  await queueCopy(deps, { projectId, owner }, releaseId);
  await deps.audit({ owner, by: PLATFORM, action: 'release.automatic', projectId, subject: deploymentId });
  await notifyRelease(deps, shown, releaseId);
}

/** The API has changed the document, or is about to. */
async function followSwitch(
  deps: ReleaserDeps,
  job: ClaimedJob,
  { projectId, owner, releaseId }: Extract<ReleaseJob, { kind: 'switched' }>,
): Promise<Handled> {
  if (!(await awaitRelease(deps, projectId, releaseId)))
    return Math.abs(deps.clock.now() - job.addedAt) < CHANGE_WITHIN_MS ? 'later' : 'done';
  await showRelease(deps, { projectId, owner, releaseId });
  return 'done';
}

/** What serves follows a release that the document has. False where nothing is shown of the project. */
export async function showRelease(
  deps: ReleaserDeps,
  { projectId, owner, releaseId }: { readonly projectId: string; readonly owner: string; readonly releaseId: string },
): Promise<boolean> {
  const shown = await applyProduction(deps, projectId);
  if (!shown) return false;
  await queueCopy(deps, { projectId, owner }, releaseId);
  await notifyRelease(deps, shown, releaseId);
  return true;
}

/** A job put back would wait for the next wake, so a change that is just being written is waited for here. */
async function awaitRelease({ projects }: ReleaserDeps, projectId: string, releaseId: string): Promise<boolean> {
  for (let looks = 1; ; looks++) {
    const project = await projects.get(projectId);
    if (project?.releases.some((release) => release.releaseId === releaseId)) return true;
    if (looks >= MAX_WRITE_LOOKS) return false;
    await sleep(WRITE_LOOK_MS);
  }
}

/**
 * Everything of a project, as after a change of its settings. What has an address first, since a lock must not wait for
 * ten thousand manifests, nor depend on records, which end after 90 days; then what has lost one, a page for each job.
 */
async function writeProject(
  deps: ReleaserDeps,
  job: ClaimedJob,
  { cursor, ...of }: Extract<ReleaseJob, { kind: 'project' }>,
): Promise<void> {
  const { projectId } = of;
  const project = await deps.projects.get(projectId);
  if (!project || project.deleting) return;
  if (cursor === undefined) {
    await afterwards(rewritePreviews(deps, projectId), () => lookAtProject(deps, projectId));
  }
  const page = await deps.store.list({ owner: project.owner, projectId, limit: PAGE, ...(cursor && { cursor }) });
  await applyPreviews(deps, project, page.items, true);
  if (page.cursor === undefined) return;
  const [first] = job.id.split(PAGE_MARK);
  const data: ReleaseJob = { ...of, cursor: page.cursor };
  await deps.queue.enqueue(QUEUES.release, { ...of, id: `${first}${PAGE_MARK}${page.cursor}`, data });
}

/** What was lost with a queue: addresses of the newest deployments, a release that nobody made, routes that lag. */
async function lookAtProject(deps: ReleaserDeps, projectId: string): Promise<void> {
  const project = await deps.projects.get(projectId);
  if (!project || project.deleting) return;
  const { owner, nextRelease } = project;
  if (nextRelease && !nextRelease.error) await enqueueReleaseStart(deps.queue, { projectId, owner, ...nextRelease });
  const { items } = await deps.store.list({ owner, projectId, limit: LOOKED_AT });
  await afterwards(applyPreviews(deps, project, items), () => lookAtProduction(deps, project, items));
}

/** Production does not wait for previews, which may be many, or refused: what goes wrong with them is told afterwards. */
async function afterwards(previews: Promise<void>, next: () => Promise<void>): Promise<void> {
  const [outcome] = await Promise.allSettled([previews]);
  await next();
  if (outcome.status === 'rejected') throw outcome.reason;
}

async function lookAtProduction(
  deps: ReleaserDeps,
  project: ProjectDocument,
  items: readonly DeploymentRecord[],
): Promise<void> {
  const { projectId } = project;
  const newest = items.find((record) => mayBeShown(record) && environmentOf(record) === 'production');
  const adopted = newest && (await projectOf(deps, newest));
  if (adopted) await releaseEnded(deps, adopted, newest);
  else if (await applyProduction(deps, projectId))
    await queueCopy(deps, { projectId, owner: project.owner }, `${project.release?.releaseId}`);
}

/** The document of a deployment's project; null for one that goes. */
async function projectOf(
  deps: ReleaserDeps,
  { projectId, owner, deploymentId }: DeploymentRecord,
): Promise<ProjectDocument | null> {
  const project = await deps.adoptProject({ projectId, owner, ended: deploymentId });
  return project?.deleting ? null : project;
}

const queueCopy = ({ queue }: ReleaserDeps, data: CopyJob, cause: string): Promise<boolean> =>
  queue.enqueue(QUEUES.copy, { id: `copy-${data.projectId}-${cause}`, data, ...data });

async function queueLook({ queue, projects }: ReleaserDeps, projectId: string, cause: string): Promise<void> {
  const owner = (await projects.get(projectId))?.owner;
  if (owner === undefined) return;
  const data: ReleaseJob = { kind: 'look', projectId, owner };
  await queue.enqueue(QUEUES.release, { id: `look-${projectId}-${cause}`, data, owner, projectId });
}
