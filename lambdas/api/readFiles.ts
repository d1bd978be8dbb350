import { z } from 'zod';
import type { PublishedFile } from '../../contract/files.ts';
import { ManifestSchema, PublishedObjectSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import { VARIANT_SUFFIX } from '../../contract/variants.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { MAX_MANIFEST_BYTES } from '../shared/artifact.ts';
import { readSmallObject } from '../shared/readSmallObject.ts';

export interface PublishedSite {
  readonly items: readonly PublishedFile[];
  readonly files: number;
  readonly bytes: number;
}

/** The files that a deployment has published; null where it has none that can be read. */
export type ReadFiles = (projectId: string, deploymentId: string) => Promise<PublishedSite | null>;

const FilesSchema = ManifestSchema.pick({ files: true, bytes: true }).extend({
  objects: z.array(PublishedObjectSchema.pick({ path: true, size: true, contentType: true, encoding: true })),
});

export const filesReader =
  (s3: S3Calls, Bucket: string): ReadFiles =>
  async (projectId, deploymentId) => {
    const place = { Bucket, Key: s3Keys.deploymentManifest(projectId, deploymentId) };
    const read = await readSmallObject(s3, place, { schema: FilesSchema, maxBytes: MAX_MANIFEST_BYTES });
    if (read.kind !== 'read') return null;
    const { files, bytes, objects } = read.value;
    const variants = new Map<string, number>();
    for (const { path, size, encoding } of objects) {
      if (!encoding) continue;
      const original = path.slice(0, -VARIANT_SUFFIX[encoding].length);
      variants.set(original, Math.min(size, variants.get(original) ?? size));
    }
    const items = objects.flatMap(({ path, size, contentType, encoding }): PublishedFile[] => {
      const compressedBytes = variants.get(path);
      if (encoding) return [];
      return [{ path, bytes: size, contentType, ...(compressedBytes !== undefined && { compressedBytes }) }];
    });
    return { items, files, bytes };
  };
