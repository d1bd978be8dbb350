import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import type { UploadFile } from '../../contract/uploads.ts';
import { forEachParallel } from '../../lambdas/shared/async.ts';
import type { ListedFile } from './listFolder.ts';

const AT_ONCE = 16;

/** The files with the hashes of their contents. Throws CLI_FILE_CHANGED for what has vanished or grown meanwhile. */
export async function hashFiles(folder: string, files: readonly ListedFile[]): Promise<UploadFile[]> {
  const hashes = new Map<ListedFile, string>();
  await forEachParallel(files, AT_ONCE, async (file) => {
    hashes.set(file, await hashFile(folder, file));
  });
  return files.map((file) => ({ path: file.path, mode: file.mode, size: file.size, sha256: hashes.get(file)! }));
}

async function hashFile(folder: string, { path, size, target }: ListedFile): Promise<string> {
  const hash = createHash('sha256');
  if (target !== undefined) return hash.update(target).digest('hex');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(join(folder, path)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new VerenError('CLI_FILE_INVALID', { file: path, reason: code }, { cause });
  }
  if (bytes !== size) throw new VerenError('CLI_FILE_CHANGED', { file: path });
  return hash.digest('hex');
}

/** A content once more, as it was hashed. Throws CLI_FILE_CHANGED. */
export async function readContent(folder: string, { path, sha256 }: UploadFile, target?: string): Promise<Buffer> {
  const content = target === undefined ? await readFile(join(folder, path)).catch(() => null) : Buffer.from(target);
  if (content === null || createHash('sha256').update(content).digest('hex') !== sha256)
    throw new VerenError('CLI_FILE_CHANGED', { file: path });
  return content;
}
