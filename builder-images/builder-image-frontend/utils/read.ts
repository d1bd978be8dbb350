import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { VerenError } from '../../../contract/errors.ts';
import type { OutputFile } from './walk.ts';

/** Larger files are read twice, for the checksum and for the upload, and never held in memory. */
export const IN_MEMORY = 8 * 1_024 * 1_024;

export interface ReadFile {
  readonly sha256: string;
  readonly size: number;
  /** Absent for a large file. */
  readonly body?: Buffer;
}

/** Reads a file of the output; it must still be the regular file that the walk saw. */
export async function readOutput(file: OutputFile): Promise<ReadFile> {
  const handle = await open(file.source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile() || info.size !== file.size)
      throw new VerenError('OUTPUT_REJECTED', { reason: `${file.path} changed while it was published` });
    const hash = createHash('sha256');
    if (info.size <= IN_MEMORY) {
      const body = await handle.readFile();
      return { sha256: hash.update(body).digest('hex'), size: body.length, body };
    }
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return { sha256: hash.digest('hex'), size: info.size };
  } finally {
    await handle.close();
  }
}
