import { z } from 'zod';
import { BuildWarningsSchema } from './record.ts';
import { RULE_ORDERS } from './site-rules/ruleOrder.ts';

/**
 * `manifest.json` of a deployment (`s3Keys.deploymentManifest`): what it publishes, object by object. Written by the
 * frontend builder when every object is there; read by the next publish, which copies what is unchanged, by the
 * task-watcher, which learns from it the result of a build whose last event was lost, by the releaser, and by who
 * serves the deployment. That of an earlier version may name objects of an earlier deployment.
 */
export const PublishedObjectSchema = z.object({
  /** Relative to the site's root, `/` as separator. */
  path: z.string(),
  size: z.number().int().min(0),
  /** SHA-256 of the stored bytes, hex. */
  sha256: z.string(),
  contentType: z.string(),
  cacheControl: z.string(),
  /**
   * Set on a precompressed variant, stored at the original's path + `.br` or `.gz` with `Content-Encoding`: a site server
   * may answer a request for the original with it. `of` is the SHA-256 of the original.
   */
  encoding: z.enum(['br', 'gzip']).optional(),
  of: z.string().optional(),
  /** Key of the immutable object: under this deployment's files; in an incomplete manifest perhaps under an earlier one's. */
  key: z.string(),
});
export type PublishedObject = z.infer<typeof PublishedObjectSchema>;

export const ManifestSchema = z.object({
  v: z.literal(1),
  projectId: z.string(),
  deploymentId: z.string(),
  attempt: z.number().int().min(1),
  commit: z.string(),
  createdAt: z.iso.datetime(),
  /** Files of the site and their bytes, precompressed variants not counted: as in the artifact. */
  files: z.number().int(),
  bytes: z.number().int(),
  /** Every object is below this deployment's own files, so that serving needs nothing else. Absent: of an earlier version. */
  complete: z.literal(true).optional(),
  /** The site has `_redirects` or `_headers`: its route says so, too (`SiteRoute`). */
  rules: z.enum(RULE_ORDERS).optional(),
  /** The same warnings as in the artifact. */
  warnings: BuildWarningsSchema,
  objects: z.array(PublishedObjectSchema),
});
export type Manifest = z.infer<typeof ManifestSchema>;

/** `promotion.json` of a project (`s3Keys.promotion`), changed only by conditional writes: the copy in `s3Keys.site`. */
export const PromotionSchema = z.object({
  v: z.literal(1),
  /** The deployment whose files it holds. */
  live: z.string().nullable(),
  /** The promotion under way, or one that was interrupted when `leaseUntil` (ms) has passed. */
  pending: z
    .object({
      deploymentId: z.string(),
      holder: z.string(),
      leaseUntil: z.number(),
      /** Deployments of which an interrupted promotion may have left something in the site. */
      dirty: z.array(z.string()),
    })
    .nullable(),
  updatedAt: z.iso.datetime(),
});
export type Promotion = z.infer<typeof PromotionSchema>;

/**
 * The publication decision (`s3Keys.verdict`): whether a build's artifact may be published. The builder writes it right
 * before it publishes, a cancellation writes it too, both with `If-None-Match: *`: the first one decides for all
 * attempts.
 */
export const VerdictSchema = z.object({
  v: z.literal(1),
  verdict: z.enum(['publish', 'cancel']),
  at: z.iso.datetime(),
});
export type PublicationDecision = z.infer<typeof VerdictSchema>;

export { VARIANT_SUFFIX } from './variants.ts';

/** Same bytes under the same headers. */
export const sameObject = (
  a: Pick<PublishedObject, 'sha256' | 'contentType' | 'cacheControl' | 'encoding'>,
  b: Pick<PublishedObject, 'sha256' | 'contentType' | 'cacheControl' | 'encoding'>,
): boolean =>
  a.sha256 === b.sha256 &&
  a.contentType === b.contentType &&
  a.cacheControl === b.cacheControl &&
  a.encoding === b.encoding;
