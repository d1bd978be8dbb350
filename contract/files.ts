import { z } from 'zod';
import { wholeNumber } from './api.ts';

/** Files of one page at most. */
const MAX_FILES_PAGE = 1_000;

export const FilesQuerySchema = z.strictObject({
  /** `path`: by name; `size`: the largest first. */
  sort: z.enum(['path', 'size']).default('path'),
  limit: wholeNumber(1, MAX_FILES_PAGE).default(100),
  /** From the page before; good with the same `sort` only. */
  cursor: wholeNumber(0, 10_000_000).optional(),
});

/** A file of a site. */
export const PublishedFileSchema = z.object({
  /** Relative to the site's root, `/` as separator. */
  path: z.string(),
  bytes: z.int(),
  contentType: z.string(),
  /** Bytes of its smallest precompressed form. Absent where it has none. */
  compressedBytes: z.int().optional(),
});
export type PublishedFile = z.infer<typeof PublishedFileSchema>;

/** One page of what a deployment has published as its site. */
export const PublishedFilesSchema = z.object({
  items: z.array(PublishedFileSchema),
  /** Of the whole site. */
  files: z.int(),
  bytes: z.int(),
  /** Give it as `cursor` for the next page; absent on the last. */
  cursor: z.string().optional(),
});
export type PublishedFiles = z.infer<typeof PublishedFilesSchema>;
