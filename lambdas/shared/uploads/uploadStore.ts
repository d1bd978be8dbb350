import type { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import { s3Keys } from '../../../contract/names.ts';
import {
  type AskedFile,
  type CreateUploadSchema,
  MAX_ASKED_FILES,
  MAX_KEPT_PACK_BYTES,
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
   * @param admit Called before a folder is stored that the project does not have: what it throws ends the call.
   */
  note(projectId: string, change: z.output<typeof CreateUploadSchema>, admit: () => Promise<void>): Promise<Upload>;
  /** Throws UPLOAD_UNKNOWN, UPLOAD_TOO_LARGE, and UPLOAD_INCOMPLETE where files are lacking. */
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

  /** Files by their hash that the project lacks, and what it keeps: files and lists, packs, and whether this list. */
  async function findLacking(projectId: string, uploadId: string, { files }: UploadManifest) {
    const lacking = new Map(files.map((file) => [file.sha256, file]));
    const [filesPrefix, packsPrefix] = [s3Keys.uploadedFiles(projectId), s3Keys.uploadPacks(projectId)];
    const manifest = s3Keys.uploadManifest(projectId, uploadId);
    const kept = { bytes: 0, packed: 0, isKnown: false };
    for await (const { Key = '', Size = 0, LastModified } of listObjects(s3, bucket, s3Keys.uploads(projectId))) {
      if (Key.startsWith(packsPrefix)) kept.packed += Size;
      else kept.bytes += Size;
      if (Key === manifest) kept.isKnown = true;
      if (!Key.startsWith(filesPrefix)) continue;
      const sha256 = Key.slice(filesPrefix.length);
      const isFresh = clock.now() - (LastModified?.getTime() ?? 0) < FRESH_MS;
      if (isFresh && lacking.get(sha256)?.size === Size) lacking.delete(sha256);
    }
    return { lacking: [...lacking.values()], ...kept };
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
    async note(projectId, { base, ...change }, admit) {
      const before = base === undefined ? EMPTY_FOLDER : await read(projectId, base);
      const folder = changeFolder(before, change);
      const uploadId = uploadIdFor(folder);
      const Body = JSON.stringify(folder);
      const { lacking, ...kept } = await findLacking(projectId, uploadId, folder);
      checkKept(kept, bytesOf(lacking) + (kept.isKnown ? 0 : Buffer.byteLength(Body)));
      if (!kept.isKnown) await admit();
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const Key = s3Keys.uploadManifest(projectId, uploadId);
      // Written again where it is there, so that it is kept as long as what is sent for it now.
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
      const { lacking, ...kept } = await findLacking(projectId, uploadId, await read(projectId, uploadId));
      // Calls at once may have noted more together than each of them was allowed.
      checkKept(kept, 0);
      if (lacking.length > 0) throw new VerenError('UPLOAD_INCOMPLETE', { lacking: lacking.length });
    },
  };
}

function checkKept({ bytes, packed }: { readonly bytes: number; readonly packed: number }, coming: number): void {
  const check = (is: number, more: number, max: number, what: string) => {
    if (is + more > max)
      throw new VerenError('UPLOAD_TOO_LARGE', {
        reason: `the project keeps ${is} bytes of ${what}, and ${max} are allowed in all.`,
      });
  };
  check(bytes, coming, MAX_KEPT_UPLOAD_BYTES, 'earlier uploads');
  check(packed, 0, MAX_KEPT_PACK_BYTES, 'packs of earlier uploads');
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
