import type { FileContent } from '../../../contract/repo-fs.ts';
import { contentOf, HEAD_BYTES } from './entryTree.ts';
import type { ObjectReader } from './objectReader.ts';

/** Contents that are kept in one batch, but for small files. Manifests have kilobytes, lockfiles up to the limit of one file. */
const MAX_TOTAL = 16 * 1024 * 1024;

export interface WantedFile {
  readonly path: string;
  readonly oid: string;
}

/**
 * Contents by path, and the files whose objects are not there yet. Once the files together are over the limit, the larger
 * ones are given as too large, with their head.
 */
export async function readContents(
  reader: ObjectReader,
  wanted: readonly WantedFile[],
  maxBytes: number,
): Promise<{ found: Map<string, FileContent>; missing: readonly WantedFile[] }> {
  const found = new Map<string, FileContent>();
  const missing: WantedFile[] = [];
  let [i, total] = [0, 0];
  for await (const object of reader.read(
    wanted.map(({ oid }) => oid),
    maxBytes,
  )) {
    const file = wanted[i++]!;
    if (!object) {
      missing.push(file);
      continue;
    }
    total += object.bytes.length;
    found.set(file.path, contentOf(object.bytes, object.size, total > MAX_TOTAL ? HEAD_BYTES : maxBytes));
  }
  return { found, missing };
}
