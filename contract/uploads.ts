import { z } from 'zod';
import { UPLOAD_SCHEME } from './names.ts';

/** What a folder without git is deployed from: its files, by their contents. docs/decisions/uploads.md */

/** Of one folder. The clone worker holds it twice in 2 GiB of `/tmp`. */
export const MAX_UPLOAD_FILES = 20_000;
export const MAX_UPLOAD_BYTES = 256 * 1024 * 1024;
export const MAX_UPLOAD_FILE_BYTES = 100 * 1024 * 1024;
/** Of one project: the files that it has uploaded and that are still kept, and the lists of its folders. */
export const MAX_KEPT_UPLOAD_BYTES = 2 * 1024 * 1024 * 1024;
/** Of one project: what the platform has packed of them, once more for each folder that was deployed. */
export const MAX_KEPT_PACK_BYTES = 8 * 1024 * 1024 * 1024;
/** Folders and parts of folders that an owner may make known within an hour. A large one has fourteen parts. */
export const MAX_NEW_UPLOADS = 1_000;
/** Where a link points. Source: Linux, `PATH_MAX`. */
export const MAX_LINK_BYTES = 4_096;
/** Changes of one request, so that it stays below the API's limit of a body. */
export const MAX_UPLOAD_CHANGES = 1_500;
export const MAX_UPLOAD_PATH = 1_024;
/** Files that one answer asks for. */
export const MAX_ASKED_FILES = 500;

/** What was uploaded is removed after so many days (`lib/constructs/artifact-bucket.ts`, `local/platform/uploads.ts`). */
export const UPLOAD_DAYS = 14;
/** A file that is older is asked for again, so that what is accepted is there for the other half of the time. */
export const UPLOAD_FRESH_DAYS = UPLOAD_DAYS / 2;

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 hexadecimal digits');

/** The SHA-256 of a folder's list of files: equal folders have equal ids. */
export const UploadIdSchema = hash;

/** git's own modes: a file, a program, a symbolic link whose content is where it points. */
export const UPLOAD_MODES = ['100644', '100755', '120000'] as const;

export const UploadFileSchema = z.strictObject({
  path: z.string().min(1).max(MAX_UPLOAD_PATH),
  mode: z.enum(UPLOAD_MODES),
  size: z.int().min(0).max(MAX_UPLOAD_FILE_BYTES),
  sha256: hash,
});
export type UploadFile = z.infer<typeof UploadFileSchema>;

const GivenFileSchema = UploadFileSchema.refine(({ mode, size }) => mode !== '120000' || size <= MAX_LINK_BYTES, {
  path: ['size'],
  message: `must not be more than ${MAX_LINK_BYTES} for a link`,
});

export const CreateUploadSchema = z.strictObject({
  /** The folder that this one differs from: an earlier answer's `uploadId`. Default: an empty folder. */
  base: UploadIdSchema.optional(),
  files: z.array(GivenFileSchema).max(MAX_UPLOAD_CHANGES).default([]),
  /** Paths of the base that are gone. */
  removed: z.array(UploadFileSchema.shape.path).max(MAX_UPLOAD_CHANGES).default([]),
});
export type CreateUpload = z.input<typeof CreateUploadSchema>;

/** A file that the platform lacks: to be sent by PUT to `url` with these headers, which are part of its signature. */
export const AskedFileSchema = z.object({
  sha256: hash,
  size: z.number(),
  url: z.url(),
  headers: z.record(z.string(), z.string()),
});
export type AskedFile = z.infer<typeof AskedFileSchema>;

export const UploadSchema = z.object({
  uploadId: UploadIdSchema,
  files: z.number().int(),
  bytes: z.number().int(),
  /** Different contents that are lacking; 0: it can be deployed. */
  lacking: z.number().int(),
  /** Some of them, each with an address that is good for some minutes; ask again with `base` for the next. */
  send: z.array(AskedFileSchema).max(MAX_ASKED_FILES),
});
export type Upload = z.infer<typeof UploadSchema>;

/** A folder as it is stored; its files are sorted by path. */
export const UploadManifestSchema = z.object({ v: z.literal(1), files: z.array(UploadFileSchema) });
export type UploadManifest = z.infer<typeof UploadManifestSchema>;

/** Stands in records and jobs where a repository's URL is. */
export const uploadUrl = (uploadId: string): string => UPLOAD_SCHEME + uploadId;
/** Undefined for the URL of a repository. */
export const uploadIdOf = (gitUrl: string): string | undefined =>
  gitUrl.startsWith(UPLOAD_SCHEME) ? UploadIdSchema.safeParse(gitUrl.slice(UPLOAD_SCHEME.length)).data : undefined;
