import type { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import { s3Keys } from '../../../contract/names.ts';
import {
  type AskedFile,
  type CreateUploadSchema,
  MAX_ASKED_FILES,
  MAX_KEPT_UPLOAD_BYTES,
  UPLOAD_FRESH_DAYS,
  type Upload,
  type UploadFile,
  type UploadManifest,
  UploadManifestSchema,
} from '../../../contract/uploads.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import type { UrlSigner } from '../adapters/aws/urlSigner.ts';
import { openDocuments } from '../documents.ts';
import { listObjects } from '../listObjects.ts';
import type { Clock } from '../ports.ts';
import { bytesOf, changeFolder, EMPTY_FOLDER, uploadIdFor } from './changeFolder.ts';

/** Folders that projects have uploaded. A project reaches nothing of another one, by whatever hash it asks. */
export interface UploadStore {
  /**
   * Notes a folder, and says which of its files the project lacks. Safe to repeat, and for several at once: whatever is
   * stored is named after its content. Throws UPLOAD_UNKNOWN for another base than one of the project's, UPLOAD_INVALID,
   * UPLOAD_TOO_LARGE.
   */
  note(projectId: string, change: z.output<typeof CreateUploadSchema>): Promise<Upload>;
  /** Throws UPLOAD_UNKNOWN, and UPLOAD_INCOMPLETE where files are lacking. */
  requireComplete(projectId: string, uploadId: string): Promise<void>;
}

export interface UploadStoreDeps {
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly clock: Clock;
  /** Its rights are the addresses': to put a file of a project. */
  readonly urlSigner: UrlSigner;
}

export const FRESH_MS = UPLOAD_FRESH_DAYS * 86_400_000;

export function openUploads({ s3, bucket, clock, urlSigner }: UploadStoreDeps): UploadStore {
  const read = readFolder(s3, bucket);

  /** Files by their hash that the project lacks, and what it keeps. */
  async function findLacking(projectId: string, { files }: UploadManifest) {
    const lacking = new Map(files.map((file) => [file.sha256, file]));
    const prefix = s3Keys.uploadedFiles(projectId);
    let kept = 0;
    for await (const { Key = '', Size = 0, LastModified } of listObjects(s3, bucket, prefix)) {
      kept += Size;
      const sha256 = Key.slice(prefix.length);
      const isFresh = clock.now() - (LastModified?.getTime() ?? 0) < FRESH_MS;
      if (isFresh && lacking.get(sha256)?.size === Size) lacking.delete(sha256);
    }
    return { lacking: [...lacking.values()], kept };
  }

  async function askFor(projectId: string, { sha256, size }: UploadFile): Promise<AskedFile> {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const Key = s3Keys.uploadedFile(projectId, sha256);
    const command = new PutObjectCommand({ Bucket: bucket, Key, ContentLength: size, ChecksumSHA256: checksum });
    // Both are signed, so nothing else than this very content can be sent to the address.
    const headers = { 'x-amz-checksum-sha256': checksum };
    const url = await urlSigner(command, { asHeaders: Object.keys(headers) });
    return { sha256, size, url, headers };
  }

  return {
    async note(projectId, { base, ...change }) {
      const before = base === undefined ? EMPTY_FOLDER : await read(projectId, base);
      const folder = changeFolder(before, change);
      const uploadId = uploadIdFor(folder);
      const { lacking, kept } = await findLacking(projectId, folder);
      if (kept + bytesOf(lacking) > MAX_KEPT_UPLOAD_BYTES)
        throw new VerenError('UPLOAD_TOO_LARGE', {
          reason: `the project keeps ${kept} bytes of earlier uploads, and ${MAX_KEPT_UPLOAD_BYTES} are allowed in all.`,
        });
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const Key = s3Keys.uploadManifest(projectId, uploadId);
      // Written again where it is there, so that it is kept as long as what is sent for it now.
      const Body = JSON.stringify(folder);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: 'application/json' }));
      return {
        uploadId,
        files: folder.files.length,
        bytes: bytesOf(folder.files),
        lacking: lacking.length,
        send: await Promise.all(lacking.slice(0, MAX_ASKED_FILES).map((file) => askFor(projectId, file))),
      };
    },
    async requireComplete(projectId, uploadId) {
      const { lacking } = await findLacking(projectId, await read(projectId, uploadId));
      if (lacking.length > 0) throw new VerenError('UPLOAD_INCOMPLETE', { lacking: lacking.length });
    },
  };
}

/** Reads the list of a folder's files. Throws UPLOAD_UNKNOWN. */
export function readFolder(s3: S3Calls, bucket: string) {
  const documents = openDocuments(s3, bucket);
  return async (projectId: string, uploadId: string): Promise<UploadManifest> => {
    const folder = await documents.read(s3Keys.uploadManifest(projectId, uploadId), UploadManifestSchema);
    if (!folder) throw new VerenError('UPLOAD_UNKNOWN', { projectId });
    return folder;
  };
}
