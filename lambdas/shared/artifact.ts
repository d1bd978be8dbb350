import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { ManifestSchema, PromotionSchema } from '../../contract/manifest.ts';
import { imageTag, s3Keys } from '../../contract/names.ts';
import type { Artifact } from '../../contract/record.ts';
import type { BuildRef } from './buildEvents.ts';

type StaticArtifact = Extract<Artifact, { kind: 'static' }>;
type ImageArtifact = Extract<Artifact, { kind: 'image' }>;

export interface ArtifactPlaces {
  readonly s3: S3Client;
  readonly bucket: string;
  /**
   * The users' image with this tag; null where there is none. Absent on a laptop, whose images a container builder holds:
   * there the next attempt finds its own.
   */
  readonly findImage?: (tag: string) => Promise<ImageArtifact | null>;
}

/**
 * What a build has left behind, whoever told of it. A site counts where its promotion is through: its own manifest says
 * that the copy is whole, and the promotion record that it, or a newer one, is live. An image counts where its tag exists:
 * tags are immutable, and the one of a deployment is pushed by its builds alone.
 */
export function artifactFinder(places: ArtifactPlaces) {
  return async ({ projectId, deploymentId, target }: BuildRef): Promise<Artifact | null> => {
    if (target === 'frontend') return findSite(places, projectId, deploymentId);
    return (await places.findImage?.(imageTag(projectId, deploymentId))) ?? null;
  };
}

async function findSite(
  { s3, bucket }: ArtifactPlaces,
  projectId: string,
  deploymentId: string,
): Promise<StaticArtifact | null> {
  const read = async (key: string): Promise<string | null> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString()) ?? null;
    } catch (e) {
      if (e instanceof NoSuchKey) return null;
      throw e;
    }
  };
  const text = await read(s3Keys.deploymentManifest(projectId, deploymentId));
  if (text === null) return null;
  const promotion = await read(s3Keys.promotion(projectId));
  const live = promotion && PromotionSchema.parse(JSON.parse(promotion)).live;
  if (!live || live < deploymentId) return null;
  const { files, bytes } = ManifestSchema.parse(JSON.parse(text));
  return { kind: 'static', bucket, prefix: s3Keys.site(projectId), files, bytes };
}
