import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { ManifestSchema, PromotionSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { Artifact } from '../../contract/record.ts';
import type { BuildRef } from './buildEvents.ts';

/**
 * What a build has left behind, whoever told of it. A site counts where its promotion is through: its own manifest says
 * that the copy is whole, and the promotion record that it, or a newer one, is live.
 */
export function artifactFinder({ s3, bucket }: { s3: S3Client; bucket: string }) {
  const read = async (key: string): Promise<string | null> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString()) ?? null;
    } catch (e) {
      if (e instanceof NoSuchKey) return null;
      throw e;
    }
  };
  return async ({ projectId, deploymentId, target }: BuildRef): Promise<Artifact | null> => {
    if (target === 'backend') return null;
    const text = await read(s3Keys.deploymentManifest(projectId, deploymentId));
    if (text === null) return null;
    const promotion = await read(s3Keys.promotion(projectId));
    const live = promotion && PromotionSchema.parse(JSON.parse(promotion)).live;
    if (!live || live < deploymentId) return null;
    const { files, bytes } = ManifestSchema.parse(JSON.parse(text));
    return { kind: 'static', bucket, prefix: s3Keys.site(projectId), files, bytes };
  };
}
