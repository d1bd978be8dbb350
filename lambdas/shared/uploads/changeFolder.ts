import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import {
  type CreateUploadSchema,
  MAX_UPLOAD_BYTES,
  MAX_UPLOAD_FILES,
  type UploadFile,
  type UploadManifest,
} from '../../../contract/uploads.ts';
import { isOrdinaryName } from '../repo/listing.ts';

export const EMPTY_FOLDER: UploadManifest = { v: 1, files: [] };
const MAX_DEPTH = 64;
/** Of one name on Linux, in bytes. */
const MAX_NAME_BYTES = 255;

/** What some file systems take for `.git`, where git keeps programs that it runs. Source: git, `verify_path`. */
const IS_GIT_FOLDER = /^(?:\.git|git~1)[. ]*$/i;

/**
 * A folder with changes. Throws UPLOAD_INVALID for paths that no checkout would write as they are, and UPLOAD_TOO_LARGE.
 */
export function changeFolder(
  base: UploadManifest,
  { files, removed }: Pick<z.output<typeof CreateUploadSchema>, 'files' | 'removed'>,
): UploadManifest {
  const byPath = new Map(base.files.map((file) => [file.path, file]));
  for (const path of removed) byPath.delete(path);
  const given = new Set<string>();
  for (const file of files) {
    const fault = faultOfPath(file.path);
    if (fault !== null) throw invalid(file.path, fault);
    if (given.has(file.path)) throw invalid(file.path, 'is given twice');
    given.add(file.path);
    byPath.set(file.path, file);
  }
  const all = [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  checkHashes(all);
  checkSize(all);
  checkFolders(byPath);
  return { v: 1, files: all };
}

/** What is wrong with a path of an upload; null where nothing is. */
export function faultOfPath(path: string): string | null {
  const names = path.split('/');
  if (names.length > MAX_DEPTH) return `is more than ${MAX_DEPTH} folders deep`;
  for (const name of names) {
    if (!isOrdinaryName(name) || /\p{Surrogate}/u.test(name)) return 'has a name that cannot be used in a path';
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `has a name of more than ${MAX_NAME_BYTES} bytes`;
    if (IS_GIT_FOLDER.test(name)) return 'is in a folder of git, which is never deployed';
  }
  return null;
}

function checkSize(files: readonly UploadFile[]): void {
  if (files.length > MAX_UPLOAD_FILES)
    throw new VerenError('UPLOAD_TOO_LARGE', {
      reason: `it has ${files.length} files, and ${MAX_UPLOAD_FILES} are allowed.`,
    });
  const bytes = bytesOf(files);
  if (bytes > MAX_UPLOAD_BYTES)
    throw new VerenError('UPLOAD_TOO_LARGE', { reason: `it has ${bytes} bytes, and ${MAX_UPLOAD_BYTES} are allowed.` });
}

/** One content has one size: with two of them a folder would be larger than it says. */
function checkHashes(files: readonly UploadFile[]): void {
  const sizes = new Map<string, number>();
  for (const { path, size, sha256 } of files) {
    if ((sizes.get(sha256) ?? size) !== size) throw invalid(path, 'has the hash of a file of another size');
    sizes.set(sha256, size);
  }
}

/** No path may be both a file and the folder of another one. */
function checkFolders(byPath: ReadonlyMap<string, UploadFile>): void {
  const seen = new Set<string>();
  for (const path of byPath.keys())
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash);
      if (seen.has(folder)) break;
      seen.add(folder);
      if (byPath.has(folder)) throw invalid(folder, 'is a file and a folder');
    }
}

const invalid = (path: string, fault: string) =>
  new VerenError('UPLOAD_INVALID', { reason: `${JSON.stringify(path)} ${fault}.` });

export const bytesOf = (files: readonly UploadFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Equal for equal folders. */
export const uploadIdFor = ({ files }: UploadManifest): string =>
  createHash('sha256')
    .update(JSON.stringify(files.map(({ path, mode, size, sha256 }) => [path, mode, size, sha256])))
    .digest('hex');
