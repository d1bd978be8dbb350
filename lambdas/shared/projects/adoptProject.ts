import { PromotionSchema } from '../../../contract/manifest.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { ProjectDocument, Release } from '../../../contract/project.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { automaticReleaseId } from '../gitHosts/showsRelease.ts';
import type { DeploymentStore } from '../ports.ts';
import { readSmallObject } from '../readSmallObject.ts';
import type { ProjectStore } from './projectStore.ts';

export interface AdoptDeps {
  readonly projects: ProjectStore;
  readonly store: DeploymentStore;
  readonly s3: S3Calls;
  readonly bucket: string;
}

/** A project that an earlier version has deployed. */
export interface EarlierProject {
  readonly projectId: string;
  readonly owner: string;
  /** A deployment that has just ended: what it shows is no history yet, also where its own build has put it live. */
  readonly ended?: string;
}

/**
 * The project's document, made where an earlier version has deployed it: its repository is that of its newest
 * deployment, its first release what is live, so that it can be gone back to. What single requests have said of their
 * builds is no setting of the project. Safe to repeat.
 * @returns Null where the project was deleted, or is another owner's.
 */
export async function adoptProject(deps: AdoptDeps, project: EarlierProject): Promise<ProjectDocument | null> {
  const { projectId, owner } = project;
  const { projects, store } = deps;
  const known = await projects.get(projectId);
  // A record or a claim that outlived its project does not bring it back.
  if (known ? known.owner !== owner : await projects.getDeleted(projectId)) return null;
  if (known && known.releases.length > 0) return known;
  const release = await liveRelease(deps, project);
  if (!known) {
    const { items } = await store.list({ owner, projectId, limit: 1 });
    const gitUrl = items[0]?.gitUrl;
    const made = await projects.ensure(projectId, owner, gitUrl === undefined ? {} : { gitUrl }, release);
    return made.owner === owner ? made : null;
  }
  if (!release || known.deleting) return known;
  return projects.change(projectId, (before) =>
    before.releases.length > 0 ? before : { ...before, release, releases: [release] },
  );
}

const MAX_PROMOTION_BYTES = 1024 * 1024;

/** What an earlier version shows as the project's site. */
async function liveRelease(
  { s3, bucket }: AdoptDeps,
  { projectId, ended }: EarlierProject,
): Promise<Release | undefined> {
  const place = { Bucket: bucket, Key: s3Keys.promotion(projectId) };
  const read = await readSmallObject(s3, place, { schema: PromotionSchema, maxBytes: MAX_PROMOTION_BYTES });
  if (read.kind !== 'read' || read.value.live === null || read.value.live === ended) return undefined;
  const { live: deploymentId, updatedAt: at } = read.value;
  const reason = 'live before releases were kept';
  return { releaseId: automaticReleaseId(deploymentId), deploymentId, kind: 'automatic', at, by: 'veren', reason };
}
