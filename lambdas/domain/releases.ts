import { TARGETS, type Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import { MAX_RELEASES, type NextRelease, type ProjectDocument, type Release } from '../../contract/project.ts';
import type { Failure } from '../../contract/record.ts';

/**
 * What changes a project's release. Each gives the changed document, or the same one (`===`) where nothing changes, so
 * that it can be asked again when another writer was faster: the order of the writes is the order of the releases.
 */

type NewRelease = Omit<Release, 'kind' | 'at'> & { readonly at: number };

/**
 * Releases what a successful production deployment has made, unless the project is pinned. A deployment that is not
 * newer (by its id) than every one released or passed over before stays unreleased, however late it ends: so a rollback
 * is not undone by what had been there before it, and a deployment that is newer than all does replace it.
 * @param ended The deployment that has ended, where it was not built since nothing had changed: it shows an earlier one.
 */
export function releaseAutomatically(
  project: ProjectDocument,
  release: NewRelease,
  ended: string = release.deploymentId,
): ProjectDocument {
  if (ended <= newestConsidered(project)) return project;
  const isServed = project.release?.deploymentId === release.deploymentId;
  if (project.pinned || isServed) return { ...project, considered: ended };
  return { ...addRelease(project, { ...release, kind: 'automatic' }), considered: ended };
}

/** Releases what was asked for, also while the project is pinned. Asked again with one id, it is one release. */
export function releaseOnRequest(
  project: ProjectDocument,
  release: NewRelease & { readonly kind: 'promote' | 'rollback' },
): ProjectDocument {
  const known = project.releases.some(({ releaseId }) => releaseId === release.releaseId);
  return known || isServed(project, release) ? project : addRelease(project, release);
}

/** True where a request changes nothing. A promote leaves the variables with which the deployment was released. */
function isServed(
  project: ProjectDocument,
  {
    deploymentId,
    kind,
    targets = ['frontend'],
    variables,
  }: Pick<Release, 'deploymentId' | 'kind'> & Partial<Pick<Release, 'targets' | 'variables'>>,
): boolean {
  if (project.release?.deploymentId !== deploymentId) return false;
  if (!targets.every((target) => releaseWith(project, target)?.deploymentId === deploymentId)) return false;
  const isFree = kind === 'promote' && variables === undefined;
  return isFree || project.release.variables?.version === variables?.version;
}

/**
 * What the present release has replaced: what production showed of its parts before, if that was another deployment or
 * had other variables. Throws NO_RELEASE_BEFORE.
 */
export function releaseBefore({ projectId, release, releases }: ProjectDocument): Release & { targets: Target[] } {
  const parts: Target[] = release?.targets ?? ['frontend'];
  const at = releases.findIndex(({ releaseId }) => releaseId === release?.releaseId);
  for (const before of releases.slice(at + 1)) {
    const targets = (before.targets ?? ['frontend']).filter((target) => parts.includes(target));
    const isOther =
      before.deploymentId !== release?.deploymentId || before.variables?.version !== release.variables?.version;
    if (isOther && targets.length > 0) return { ...before, targets };
  }
  throw new VerenError('NO_RELEASE_BEFORE', { projectId });
}

/** The variables with which a deployment was released last; absent: those that it began with. */
export const variablesReleased = ({ releases }: ProjectDocument, deploymentId: string): Release['variables'] =>
  releases.find((release) => release.deploymentId === deploymentId)?.variables;

/** Notes a release that waits for its backend. The same one is noted once; another takes its place. */
export function requestRelease(project: ProjectDocument, next: NextRelease): ProjectDocument {
  const before = project.nextRelease;
  const isSame =
    before !== undefined &&
    before.error === undefined &&
    before.deploymentId === next.deploymentId &&
    before.variables.version === next.variables.version;
  return isSame ? project : { ...project, nextRelease: next };
}

/** Makes the release that waited, unless another one has taken its place, or was made since. */
export function completeRelease(project: ProjectDocument, releaseId: string, at: number): ProjectDocument {
  const next = project.nextRelease;
  if (next?.releaseId !== releaseId || next.error) return project;
  return addRelease(project, { ...next, at });
}

/** The backend of a release that waits does not run: it is not made, and says why. */
export function refuseRelease(project: ProjectDocument, releaseId: string, error: Failure): ProjectDocument {
  const next = project.nextRelease;
  return next?.releaseId === releaseId ? { ...project, nextRelease: { ...next, error } } : project;
}

export const pinProject = (project: ProjectDocument, by: string, at: number): ProjectDocument =>
  project.pinned ? project : { ...project, pinned: { by, at: new Date(at).toISOString() } };

/** Production stays as it is: the next deployment is released again, and none that ended while the project was pinned. */
export const unpinProject = (project: ProjectDocument): ProjectDocument =>
  project.pinned ? { ...project, pinned: null } : project;

/** True where no deployment up to this one is to be released by itself any more. */
export const isConsidered = (project: ProjectDocument, deploymentId: string): boolean =>
  deploymentId <= newestConsidered(project);

/** The newest release that has this part: a deployment without a site leaves the site before where it is. */
export const releaseWith = ({ releases }: Pick<ProjectDocument, 'releases'>, target: Target): Release | undefined =>
  releases.find(({ targets = ['frontend'] }) => targets.includes(target));

function newestConsidered({ considered = '', releases }: ProjectDocument): string {
  return releases.reduce((newest, { deploymentId }) => (deploymentId > newest ? deploymentId : newest), considered);
}

function addRelease(
  { nextRelease: _, ...project }: ProjectDocument,
  { at, ...rest }: NewRelease & Pick<Release, 'kind'>,
): ProjectDocument {
  const release: Release = { ...rest, at: new Date(at).toISOString() };
  const newest = newestConsidered(project);
  return {
    ...project,
    release,
    releases: shorten([release, ...project.releases]),
    considered: release.deploymentId > newest ? release.deploymentId : newest,
  };
}

/** The newest ones, and of older ones those that production still shows a part of. */
function shorten(releases: Release[]): Release[] {
  const shown = new Set(TARGETS.flatMap((target) => releaseWith({ releases }, target) ?? []));
  const kept = new Set(releases.filter((release) => !shown.has(release)).slice(0, MAX_RELEASES - shown.size));
  return releases.filter((release) => shown.has(release) || kept.has(release));
}
