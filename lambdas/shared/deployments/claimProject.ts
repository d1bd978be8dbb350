import type { CreateDeployment } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { DeploymentRequest } from '../../../contract/jobs.ts';
import type { ProjectDocument, ProjectSettings } from '../../../contract/project.ts';
import { uploadUrl } from '../../../contract/uploads.ts';
import { requireActive } from '../projects/findProject.ts';
import type { CreateDeps } from './createDeps.ts';

/** How long credentials of a build are good for at most. */
const SESSION_MS = 3_600_000;

/** A deployment's project, and its request with the repository that is meant. */
export interface ClaimedProject {
  readonly project: ProjectDocument;
  readonly request: DeploymentRequest;
}

/** The owner's project; null where its name is free. Throws NOT_FOUND where it is another owner's. */
async function findOrFree(deps: CreateDeps, projectId: string, owner: string): Promise<ProjectDocument | null> {
  try {
    return await deps.findProject(projectId, owner);
  } catch (e) {
    const isGone = e instanceof VerenError && (e.code === 'NOT_FOUND' || e.code === 'PROJECT_DELETED');
    const known = await deps.projects.get(projectId);
    // Another request of the owner has made it meanwhile.
    if (isGone && known?.owner === owner) return known;
    // The answer for another owner's project is that of a project that does not exist.
    if (!isGone || known || !(await mayClaim(deps, projectId, owner))) throw e;
    return null;
  }
}

/**
 * Finds the project of a deployment, or makes it at its first one. Throws NOT_FOUND for a project of another owner,
 * PROJECT_DELETING, and GIT_URL_MISSING where neither the request nor the project names a repository. An upload made the
 * project before; throws UPLOAD_UNKNOWN where there is none.
 */
export async function claimProject(deps: CreateDeps, owner: string, asked: CreateDeployment): Promise<ClaimedProject> {
  const { projectId, upload } = asked;
  if (upload !== undefined) {
    const project = await findOrFree(deps, projectId, owner);
    if (!project) throw new VerenError('UPLOAD_UNKNOWN', { projectId });
    return { project: requireActive(project), request: { ...asked, gitUrl: uploadUrl(upload) } };
  }
  const given = asked.gitUrl === undefined ? undefined : deps.normaliseGitUrl(asked.gitUrl);
  const known = await findOrFree(deps, projectId, owner);
  const gitUrl = given ?? known?.settings.gitUrl;
  if (gitUrl === undefined) throw new VerenError('GIT_URL_MISSING', { projectId });
  const project = known ?? (await makeProject(deps, projectId, owner, { gitUrl }));
  return { project: requireActive(project), request: { ...asked, gitUrl } };
}

/** Finds a project whose settings are to be replaced, or makes it with them. */
export async function claimSettings(
  deps: CreateDeps,
  owner: string,
  projectId: string,
  settings: ProjectSettings,
): Promise<{ readonly project: ProjectDocument; readonly isNew: boolean }> {
  const known = await findOrFree(deps, projectId, owner);
  if (known) return { project: requireActive(known), isNew: false };
  const project = await makeProject(deps, projectId, owner, settings);
  await deps.store.claimProject(projectId, owner);
  // Somebody else of the owner may have made it at the same moment, with other settings.
  return { project, isNew: project.settings === settings };
}

async function makeProject(
  { projects }: CreateDeps,
  projectId: string,
  owner: string,
  settings: ProjectSettings,
): Promise<ProjectDocument> {
  const project = await projects.ensure(projectId, owner, settings);
  if (project.owner !== owner) throw new VerenError('NOT_FOUND', { what: `project "${projectId}"` });
  return project;
}

/**
 * A project of an earlier version has an owner and no document yet; of a deleted one neither counts. Its credentials of
 * builds reach what has its name, so another owner gets the name when the last of them has ended.
 */
async function mayClaim({ store, projects, clock }: CreateDeps, projectId: string, owner: string): Promise<boolean> {
  const gone = await projects.getDeleted(projectId);
  if (gone?.deleted && gone.owner !== owner && clock.now() - Date.parse(gone.deleted.at) < SESSION_MS) return false;
  const holder = await store.projectOwner(projectId);
  if (holder === null || holder === owner) return true;
  if (!gone) return false;
  await store.releaseProject(projectId, holder);
  return true;
}

/**
 * Takes a deployment back whose project was deleted while it was stored: the removal may not have seen it. Throws
 * PROJECT_DELETING then.
 */
export async function undoIfDeleted(deps: CreateDeps, deploymentId: string, project: ProjectDocument): Promise<void> {
  const { projectId, owner, addressKey } = project;
  const now = await deps.projects.get(projectId);
  if (now && !now.deleting && now.addressKey === addressKey) return;
  await deps.stopBuilds(deploymentId, 'the project is being deleted');
  await deps.store.remove(deploymentId);
  if (!now) await deps.store.releaseProject(projectId, owner);
  throw new VerenError('PROJECT_DELETING', { projectId });
}
