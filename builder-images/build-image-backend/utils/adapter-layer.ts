import { createHash } from 'node:crypto';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { blobPath, type ImageManifest, IndexSchema, ManifestSchema } from './layout.ts';

const CREATED_BY = 'veren: adapter for Lambda, started by nothing else';
const ConfigSchema = z.looseObject({
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
  history: z.array(z.looseObject({})).optional(),
});

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * Lays the adapter over an image, as `/opt/extensions/lambda-adapter`, which Lambda starts and nobody else does. It is the
 * same layer in every image, so a registry keeps it once, and it works for a Dockerfile of the user's own, too. An image
 * that has it on top stays as it is; further down, a layer above it could have replaced it.
 * @param layer a gzipped tar archive
 */
export async function addAdapterLayer(layout: string, layer: string): Promise<void> {
  const indexFile = join(layout, 'index.json');
  const index = IndexSchema.parse(JSON.parse(await readFile(indexFile, 'utf8')));
  const old = index.manifests[0] as (typeof index.manifests)[number];
  const manifest = ManifestSchema.parse(JSON.parse(await readFile(blobPath(layout, old.digest), 'utf8')));
  const packed = await readFile(layer);
  const digest = sha256(packed);
  if (manifest.layers.at(-1)?.digest === digest) return;
  const config = ConfigSchema.parse(JSON.parse(await readFile(blobPath(layout, manifest.config.digest), 'utf8')));
  const changed = Buffer.from(
    JSON.stringify({
      ...config,
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, sha256(gunzipSync(packed))] },
      ...(config.history && { history: [...config.history, { created_by: CREATED_BY }] }),
    }),
  );
  const isDocker = manifest.config.mediaType.startsWith('application/vnd.docker.');
  const mediaType = isDocker
    ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    : 'application/vnd.oci.image.layer.v1.tar+gzip';
  const made: ImageManifest = {
    ...manifest,
    config: { ...manifest.config, digest: sha256(changed), size: changed.length },
    layers: [...manifest.layers, { mediaType, digest, size: packed.length }],
  };
  const bytes = Buffer.from(JSON.stringify(made));
  await copyFile(layer, blobPath(layout, digest));
  await writeFile(blobPath(layout, made.config.digest), changed);
  await writeFile(blobPath(layout, sha256(bytes)), bytes);
  const descriptor = { mediaType: old.mediaType, digest: sha256(bytes), size: bytes.length };
  await writeFile(`${indexFile}.new`, JSON.stringify({ ...index, manifests: [descriptor] }));
  await rename(`${indexFile}.new`, indexFile);
}
