import { z } from 'zod';
import { VerenError } from '../../../../contract/errors.ts';
import type { ImageManifest } from '../layout.ts';

/** Of a registry: Docker's limit is 127 layers; base images that were squashed and built on have fewer. */
const MAX_LAYERS = 500;
export const MAX_CONFIG_BYTES = 4 * 1_024 * 1_024;
/** Compressed. The disk of a builder holds it twice, and a service has to pull it at each start. */
export const MAX_IMAGE_BYTES = 10 * 1_024 ** 3;

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';
const MANIFEST_TYPES = [`${OCI}.manifest.v1+json`, `${DOCKER}.distribution.manifest.v2+json`];
const CONFIG_TYPES = [`${OCI}.config.v1+json`, `${DOCKER}.container.image.v1+json`];
/** Layers that lie in the image itself: never those that name another place (`foreign`, `nondistributable`). */
const LAYER_TYPES = [
  ...['', '+gzip', '+zstd'].map((end) => `${OCI}.layer.v1.tar${end}`),
  ...['', '.gzip', '.zstd'].map((end) => `${DOCKER}.image.rootfs.diff.tar${end}`),
];

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const descriptorOf = (types: readonly string[]) =>
  z.object({ mediaType: z.enum(types as [string, ...string[]]), digest, size: z.int().min(1) });
const ReceivedManifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum(MANIFEST_TYPES as [string, ...string[]]).optional(),
  config: descriptorOf(CONFIG_TYPES),
  layers: z.array(descriptorOf(LAYER_TYPES)).min(1).max(MAX_LAYERS),
});
const ReceivedConfigSchema = z.looseObject({
  architecture: z.string().min(1).max(64),
  os: z.literal('linux'),
  config: z.looseObject({}).nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest) }),
});

export interface ReceivedManifest {
  readonly manifest: ImageManifest;
  /** What has to follow, in this order; every digest once. */
  readonly blobs: readonly { readonly digest: string; readonly size: number }[];
}

/**
 * The manifest of an image from a hostile place, made anew of the fields that mean something: nothing else of it reaches a
 * registry. Throws `VerenError('IMAGE_REFUSED')` or `('IMAGE_TOO_LARGE')`.
 */
export function checkManifest(bytes: Uint8Array, maxBytes = MAX_IMAGE_BYTES): ReceivedManifest {
  const manifest = parseAs(ReceivedManifestSchema, bytes, 'manifest');
  const sizes = new Map<string, number>();
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    if ((sizes.get(digest) ?? size) !== size) throw refusedImage(`${digest} has two sizes`);
    sizes.set(digest, size);
  }
  if (manifest.layers.some((layer) => layer.digest === manifest.config.digest))
    throw refusedImage('its configuration is one of its layers');
  if (manifest.config.size > MAX_CONFIG_BYTES) throw refusedImage('its configuration is too large');
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > maxBytes)
    throw new VerenError('IMAGE_TOO_LARGE', { reason: `${total} bytes compressed, and ${maxBytes} are allowed` });
  return {
    manifest: { schemaVersion: 2, mediaType: MANIFEST_TYPES[0], config: manifest.config, layers: manifest.layers },
    blobs: [...sizes].map(([digest, size]) => ({ digest, size })),
  };
}

/** The configuration fits to the manifest. Throws `VerenError('IMAGE_REFUSED')`. */
export function checkConfig(bytes: Uint8Array, manifest: ImageManifest): void {
  const { rootfs } = parseAs(ReceivedConfigSchema, bytes, 'configuration');
  if (rootfs.diff_ids.length !== manifest.layers.length)
    throw refusedImage('its configuration names another number of layers');
}

function parseAs<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array, what: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw refusedImage(`its ${what} is no JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]!.path.map(String).join('.');
  throw refusedImage(`its ${what} is not one of an image that can be pushed (${path.slice(0, 100) || 'as a whole'})`);
}

export const refusedImage = (reason: string) => new VerenError('IMAGE_REFUSED', { reason });
