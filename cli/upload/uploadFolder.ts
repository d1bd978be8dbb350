import { VerenError } from '../../contract/errors.ts';
import {
  type AskedFile,
  type CreateUpload,
  MAX_UPLOAD_CHANGES,
  type Upload,
  type UploadFile,
} from '../../contract/uploads.ts';
import { forEachParallel } from '../../lambdas/shared/async.ts';
import type { ProblemError } from '../client/errors.ts';
import type { VerenClient } from '../client/VerenClient.ts';
import { readContent } from './readContent.ts';

export interface FolderUpload {
  readonly client: Pick<VerenClient, 'noteUpload' | 'sendFile'>;
  readonly projectId: string;
  readonly folder: string;
  readonly files: readonly UploadFile[];
  /** Where links point, by their paths. */
  readonly targets: ReadonlyMap<string, string>;
  /** What was uploaded before from this folder to this project. */
  readonly before?: { readonly uploadId: string; readonly files: readonly UploadFile[] } | undefined;
  readonly onProgress: (sent: SentSoFar) => void;
}

export interface SentSoFar {
  readonly files: number;
  readonly bytes: number;
  /** Files that the platform lacked. */
  readonly lacking: number;
}

const AT_ONCE = 16;
/** Of one request, in bytes: with the paths of a deep folder, fewer changes fit. */
const MAX_REQUEST = 400_000;

/**
 * Sends what the platform lacks of a folder, and gives the id of the upload. What had arrived before a broken connection
 * is not sent again. Throws CLI_FILE_CHANGED, CLI_UPLOAD_REFUSED, and what the platform refuses.
 */
export async function uploadFolder(input: FolderUpload): Promise<string> {
  const { client, projectId, files, before } = input;
  let upload: Upload | undefined;
  if (before)
    try {
      upload = await tellChanges(input, changesOf(before.files, files), before.uploadId);
    } catch (error) {
      // It is kept for some days only. By its code, since the bundle of `veren mcp` has a class ProblemError of its own.
      if ((error as Partial<ProblemError>).code !== 'UPLOAD_UNKNOWN') throw error;
    }
  upload ??= await tellChanges(input, { files, removed: [] }, undefined);
  const sent = { files: 0, bytes: 0, lacking: upload.lacking };
  while (upload.lacking > 0) {
    const { lacking, uploadId } = upload;
    await sendAsked(input, upload.send, (bytes) => {
      sent.files += 1;
      sent.bytes += bytes;
      input.onProgress({ ...sent });
    });
    // All that was asked for has arrived; the deployment checks it.
    if (upload.send.length >= lacking) break;
    upload = await client.noteUpload(projectId, { base: uploadId });
    if (upload.lacking >= lacking)
      throw new VerenError('CLI_UPLOAD_REFUSED', { file: 'the folder', reason: 'what was sent did not arrive' });
  }
  return upload.uploadId;
}

function changesOf(before: readonly UploadFile[], now: readonly UploadFile[]): Changes {
  const known = new Map(before.map((file) => [file.path, file]));
  const files = now.filter((file) => {
    const old = known.get(file.path);
    known.delete(file.path);
    return old?.sha256 !== file.sha256 || old.mode !== file.mode || old.size !== file.size;
  });
  return { files, removed: [...known.keys()] };
}

type Changes = { readonly files: readonly UploadFile[]; readonly removed: readonly string[] };

/** Tells the changes in as many requests as they need. Removals first: a file may become a folder. */
async function tellChanges(
  { client, projectId }: FolderUpload,
  { files, removed }: Changes,
  base: string | undefined,
): Promise<Upload> {
  const requests = [
    ...partsOf(removed).map((part): CreateUpload => ({ removed: part })),
    ...partsOf(files).map((part): CreateUpload => ({ files: part })),
  ];
  const [first, second] = requests;
  // The usual change is told in one.
  const merged = first?.removed && second?.files && requests.length === 2 ? [{ ...first, ...second }] : requests;
  let upload: Upload | undefined;
  for (const request of merged.length > 0 ? merged : [{}]) {
    const from = upload?.uploadId ?? base;
    upload = await client.noteUpload(projectId, { ...request, ...(from !== undefined && { base: from }) });
  }
  return upload!;
}

function partsOf<T>(items: readonly T[]): T[][] {
  const parts: T[][] = [];
  let size = 0;
  for (const item of items) {
    const length = Buffer.byteLength(JSON.stringify(item)) + 1;
    const last = parts.at(-1);
    if (last && last.length < MAX_UPLOAD_CHANGES && size + length <= MAX_REQUEST) {
      last.push(item);
      size += length;
    } else {
      parts.push([item]);
      size = length;
    }
  }
  return parts;
}

/** Sends contents. Of a platform that asks for what is not in the folder nothing is taken. */
async function sendAsked(
  { client, folder, files, targets }: FolderUpload,
  asked: readonly AskedFile[],
  onSent: (bytes: number) => void,
): Promise<void> {
  const byHash = new Map(files.map((file) => [file.sha256, file]));
  await forEachParallel(asked, AT_ONCE, async (wanted) => {
    const file = byHash.get(wanted.sha256);
    if (!file) throw new VerenError('CLI_UPLOAD_REFUSED', { file: 'the folder', reason: 'it asks for another file' });
    await client.sendFile(wanted, await readContent(folder, file, targets.get(file.path)), file.path);
    onSent(file.size);
  });
}
