import { TARGETS } from '../../../contract/builders.ts';
import { VerenError } from '../../../contract/errors.ts';
import type { Lane } from '../../../contract/lanes.ts';
import {
  MAX_EXPIRING,
  MAX_REUSED,
  type ProjectDocument,
  type ProjectSettings,
  type Release,
} from '../../../contract/project.ts';
import type { ExpiryReason } from '../../../contract/record.ts';
import { releaseWith } from '../../domain/releases.ts';

/**
 * Which deployments of a project are kept. A deployment that goes is marked in the project's document first, by a
 * conditional write; a release, or an unchanged deployment, writes the same document. So one of the two comes first,
 * and the other sees it.
 */

export const DAY_MS = 24 * 3_600_000;
const KEEP_DAYS = 30;
const KEEP_RELEASES = 10;
/** How long a mark stays after the removal: longer than any request that has read the record before it. */
const MARK_MS = 15 * 60_000;

/** For how long a deployment of a lane is kept (ms). */
export const keptFor = ({ previews, releases }: ProjectSettings, lane: Lane): number =>
  ((lane === 'production' ? releases?.keepDays : previews?.keepDays) ?? KEEP_DAYS) * DAY_MS;

/** Its files are being removed. */
export const isMarked = ({ expiring }: ProjectDocument, deploymentId: string): boolean =>
  expiring?.some((mark) => mark.deploymentId === deploymentId) ?? false;

/**
 * To be called inside of the change of the document that releases a deployment. Throws DEPLOYMENT_EXPIRED where its files are
 * being removed. The deployment's record must have been read within the last minutes, and must not say `expired`.
 */
export function requireKept(project: ProjectDocument, deploymentId: string): ProjectDocument {
  if (isMarked(project, deploymentId)) throw new VerenError('DEPLOYMENT_EXPIRED');
  return project;
}

/** Releases whose backends stay as they were started: the newest ones, what production shows, and what is being started. */
export function keptReleases({ releases, settings, nextRelease }: ProjectDocument): Release[] {
  const newest = releases.slice(0, settings.releases?.keep ?? KEEP_RELEASES);
  return [
    ...newest,
    ...TARGETS.flatMap((target) => releaseWith({ releases }, target) ?? []),
    ...(nextRelease ? [nextRelease] : []),
  ];
}

/** Deployments that production serves, has served lately, or that others show. */
export function keptByProject(project: ProjectDocument, now: number): Set<string> {
  const { release, releases, settings, reused = [] } = project;
  const kept = new Set<string>();
  if (release) kept.add(release.deploymentId);
  for (const { deploymentId, at } of releases) {
    const isYoung = now - Date.parse(at) < keptFor(settings, 'production');
    if (isYoung || kept.size < (settings.releases?.keep ?? KEEP_RELEASES)) kept.add(deploymentId);
  }
  // A release without a site leaves the site before where it is, however old that is; and so for backends.
  for (const target of TARGETS) {
    const shown = releaseWith(project, target);
    if (shown) kept.add(shown.deploymentId);
  }
  // It is being started with other variables, to be released.
  if (project.nextRelease && !project.nextRelease.error) kept.add(project.nextRelease.deploymentId);
  for (const { deploymentId, until } of reused) if (Date.parse(until) > now) kept.add(deploymentId);
  return kept;
}

/** Marks those of the deployments that may go. @returns the same project where there is none */
export function markExpiring(
  project: ProjectDocument,
  deploymentIds: readonly string[],
  now: number,
  reason: ExpiryReason = 'age',
): ProjectDocument {
  if (project.deleting) return project;
  const kept = keptByProject(project, now);
  const expiring = project.expiring ?? [];
  const room = MAX_EXPIRING - expiring.length;
  const at = new Date(now).toISOString();
  const marks = deploymentIds
    .filter((id) => !kept.has(id) && !isMarked(project, id))
    .slice(0, Math.max(0, room))
    .map((deploymentId) => ({ deploymentId, at, reason }));
  return marks.length === 0 ? project : { ...project, expiring: [...expiring, ...marks] };
}

/** Notes which marked deployments were removed, and drops the marks of those that were removed some time ago. */
export function noteRemoved(project: ProjectDocument, removed: ReadonlySet<string>, now: number): ProjectDocument {
  const { expiring = [] } = project;
  const noted = expiring
    .filter((mark) => !mark.removed || now - Date.parse(mark.at) < MARK_MS)
    .map((mark) => (removed.has(mark.deploymentId) ? { ...mark, removed: true } : mark));
  return { ...project, expiring: noted };
}

/** Keeps a deployment for an unchanged one that shows it. The same project where it cannot be kept. */
export function keepReused(project: ProjectDocument, deploymentId: string, lane: Lane, now: number): ProjectDocument {
  if (project.deleting || isMarked(project, deploymentId)) return project;
  const until = new Date(now + keptFor(project.settings, lane)).toISOString();
  const others = (project.reused ?? []).filter((o) => o.deploymentId !== deploymentId && Date.parse(o.until) > now);
  if (others.length >= MAX_REUSED) return project;
  return { ...project, reused: [...others, { deploymentId, until }] };
}
