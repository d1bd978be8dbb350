import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { VerenError } from '../../../contract/errors.ts';
import type { HashThreads } from './hash-threads.ts';
import type { OutputFile } from './walk.ts';

/** Larger files are read twice, for the checksum and for the upload, and never held in memory. */
export const IN_MEMORY = 8 * 1_024 * 1_024;

export interface ReadFile {
  readonly sha256: string;
  readonly size: number;
  /** Absent for a large file. */
  readonly body?: Buffer;
}

/** So small that reading it takes less time than asking for it to be read elsewhere: four trips to the thread pool. */
const AT_ONCE = 128 * 1_024;
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function readSmall(file: OutputFile): ReadFile {
  const fd = openSync(file.source, READ_FLAGS);
  try {
    const info = fstatSync(fd);
    if (!info.isFile() || info.size !== file.size) throw changed(file);
    const body = Buffer.allocUnsafe(info.size);
    if (readSync(fd, body, 0, body.length, 0) !== body.length) throw changed(file);
    return checked(file, { sha256: createHash('sha256').update(body).digest('hex'), size: body.length, body });
  } finally {
    closeSync(fd);
  }
}

export const changed = (file: OutputFile) =>
  new VerenError('OUTPUT_REJECTED', { reason: `${file.path} changed while it was published` });

function checked(file: OutputFile, read: ReadFile): ReadFile {
  if (file.sha256 !== undefined && file.sha256 !== read.sha256) throw changed(file);
  return read;
}

/** Reads a file of the output; it must still be the regular file that the walk saw. */
export async function readOutput(file: OutputFile, hashing: HashThreads): Promise<ReadFile> {
  if (file.size <= AT_ONCE) return readSmall(file);
  const handle = await open(file.source, READ_FLAGS);
  try {
    const info = await handle.stat();
    if (!info.isFile() || info.size !== file.size) throw changed(file);
    if (info.size > IN_MEMORY) return checked(file, { sha256: await hashing.sha256(handle.fd), size: info.size });
    const body = await handle.readFile();
    return checked(file, { sha256: createHash('sha256').update(body).digest('hex'), size: body.length, body });
  } finally {
    await handle.close();
  }
}
