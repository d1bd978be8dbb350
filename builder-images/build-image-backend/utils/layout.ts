import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * The OCI image layout that Kaniko writes. Sources: OCI image specification 1.1 (image-layout.md, manifest.md) and, for the
 * names of what Docker's base images have, distribution's manifest-v2-2.md.
 */
const DescriptorSchema = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().min(0),
});
export const IndexSchema = z.looseObject({ manifests: z.array(DescriptorSchema).length(1) });
export const ManifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  config: DescriptorSchema,
  layers: z.array(DescriptorSchema),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type ImageManifest = z.infer<typeof ManifestSchema>;

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
/** Of the same bytes. */
const OCI_NAMES: Readonly<Record<string, string>> = {
  'application/vnd.docker.container.image.v1+json': 'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.docker.image.rootfs.diff.tar': 'application/vnd.oci.image.layer.v1.tar',
};

export const blobPath = (layout: string, digest: string) =>
  join(layout, 'blobs', ...(digest.split(':') as [string, string]));

/** What a registry will keep of the image. */
export const imageBytes = (manifest: ImageManifest): number =>
  manifest.config.size + manifest.layers.reduce((sum, layer) => sum + layer.size, 0);

/**
 * Makes the layout's image an OCI one with annotations; no layer changes. The annotations are what lets a later attempt
 * recognise an image as its own deployment's without a right to read layers.
 */
export async function annotateLayout(
  layout: string,
  annotations: Readonly<Record<string, string>>,
): Promise<{ digest: string; bytes: number }> {
  const indexFile = join(layout, 'index.json');
  const index = IndexSchema.parse(JSON.parse(await readFile(indexFile, 'utf8')));
  const [old] = index.manifests as [z.infer<typeof DescriptorSchema>];
  const manifest = ManifestSchema.parse(JSON.parse(await readFile(blobPath(layout, old.digest), 'utf8')));
  const renameMediaType = <T extends { mediaType: string }>(d: T): T => ({
    ...d,
    mediaType: OCI_NAMES[d.mediaType] ?? d.mediaType,
  });
  // In one order, so that doing it again gives the same digest.
  const made: ImageManifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: renameMediaType(manifest.config),
    layers: manifest.layers.map(renameMediaType),
    annotations: { ...annotations },
  };
  const bytes = Buffer.from(JSON.stringify(made));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await writeFile(blobPath(layout, digest), bytes);
  const descriptor = { mediaType: OCI_MANIFEST, digest, size: bytes.length };
  await writeFile(`${indexFile}.new`, JSON.stringify({ ...index, manifests: [descriptor] }));
  await rename(`${indexFile}.new`, indexFile);
  return { digest, bytes: imageBytes(made) };
}
