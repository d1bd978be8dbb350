import { ManifestSchema, VerdictSchema } from '../../contract/manifest.ts';
import { imageTag, s3Keys } from '../../contract/names.ts';
import type { Artifact } from '../../contract/record.ts';
import type { BuildRef } from '../domain/events.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import { readSmallObject } from './readSmallObject.ts';

type StaticArtifact = Extract<Artifact, { kind: 'static' }>;
type ImageArtifact = Extract<Artifact, { kind: 'image' }>;

export interface ArtifactPlaces {
  readonly s3: S3Calls;
  readonly bucket: string;
  /**
   * Finds the users' image with this tag; null where there is none. Absent on a laptop, where the container engine has
   * the images and the next attempt finds its own.
   */
  readonly findImage?: (tag: string) => Promise<ImageArtifact | null>;
}

/** Parses a manifest without its list of objects, which is most of it and is not needed here. */
const CountsSchema = ManifestSchema.pick({ files: true, bytes: true, warnings: true });
/** 100,000 files, each with a long name. */
export const MAX_MANIFEST_BYTES = 48 * 1024 * 1024;
const MAX_VERDICT_BYTES = 64 * 1024;

/**
 * Finds what a build has published, independently of its events. A site counts when its manifest says that the copy is
 * complete, and the publication decision that it may be shown. An image counts
 * when its tag exists: tags are immutable, and only a deployment's own builds push its tag. Objects that cannot be read
 * do not count.
 */
export function artifactFinder(places: ArtifactPlaces) {
  return async ({ projectId, deploymentId, target }: BuildRef): Promise<Artifact | null> => {
    if (target === 'frontend') return findSite(places, projectId, deploymentId);
    return (await places.findImage?.(imageTag(projectId, deploymentId))) ?? null;
  };
}

/** The site that a frontend has stored, published or not: its manifest says that the copy is complete. */
export function storedFinder({ s3, bucket }: ArtifactPlaces) {
  return async ({ projectId, deploymentId, target }: BuildRef): Promise<Artifact | null> =>
    target === 'frontend' ? readStored({ s3, bucket }, projectId, deploymentId) : null;
}

async function readStored(
  { s3, bucket }: ArtifactPlaces,
  projectId: string,
  deploymentId: string,
): Promise<StaticArtifact | null> {
  const manifest = await readSmallObject(
    s3,
    { Bucket: bucket, Key: s3Keys.deploymentManifest(projectId, deploymentId) },
    { schema: CountsSchema, maxBytes: MAX_MANIFEST_BYTES },
  );
  if (manifest.kind !== 'read') return null;
  const { files, bytes, warnings } = manifest.value;
  return { kind: 'static', bucket, prefix: s3Keys.site(projectId), files, bytes, ...(warnings && { warnings }) };
}

async function findSite(
  places: ArtifactPlaces,
  projectId: string,
  deploymentId: string,
): Promise<StaticArtifact | null> {
  const { s3, bucket } = places;
  const stored = await readStored(places, projectId, deploymentId);
  if (!stored) return null;
  const decision = await readSmallObject(
    s3,
    { Bucket: bucket, Key: s3Keys.verdict(projectId, deploymentId, 'frontend') },
    { schema: VerdictSchema, maxBytes: MAX_VERDICT_BYTES },
  );
  return decision.kind === 'read' && decision.value.verdict === 'publish' ? stored : null;
}
