import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describeError, type VerenError } from '../../contract/errors.ts';

/** Free space below which a build or a journal may soon fail. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;

/**
 * Why the platform cannot work as it should, in one sentence; null where it can. It tries to write again, so that the
 * answer is correct as soon as there is space.
 */
export function healthOf(input: {
  readonly dataDir: string;
  readonly probe: () => Promise<VerenError | null>;
  readonly minFreeBytes?: number;
}): () => Promise<string | null> {
  const { dataDir, probe, minFreeBytes = MIN_FREE_BYTES } = input;
  return async () => {
    const failure = await probe();
    if (failure) return failure.message;
    for (const path of [dataDir, tmpdir()])
      if (await isFull(path, minFreeBytes)) return describeError('DISK_FULL', { path });
    return null;
  };
}

async function isFull(path: string, minFreeBytes: number): Promise<boolean> {
  try {
    const { bavail, bsize, blocks, ffree, files } = await statfs(path);
    // Some file systems count neither blocks nor files.
    return (blocks > 0 && bavail * bsize < minFreeBytes) || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
