import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The pointer that a repository holds in place of a file. Source: docs/spec.md of git-lfs. */
export interface Pointer {
  readonly oid: string;
  readonly size: number;
}

/** A pointer is shorter than this. Source: docs/spec.md of git-lfs. */
const MAX_POINTER_BYTES = 1_024;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Parses a pointer; null for any other text. */
export function parsePointer(text: string): Pointer | null {
  const [version, ...lines] = text.split('\n');
  if (version !== 'version https://git-lfs.github.com/spec/v1') return null;
  const oid = lines.map((line) => /^oid sha256:([0-9a-f]{64})$/.exec(line)?.[1]).find(Boolean);
  const size = lines.map((line) => /^size (0|[1-9]\d{0,14})$/.exec(line)?.[1]).find(Boolean);
  return oid === undefined || size === undefined ? null : { oid, size: Number(size) };
}

/** The pointer in a file; null where the file is none, or no file. */
export async function readPointer(path: string): Promise<Pointer | null> {
  const file = await open(path, FLAGS).catch(() => null);
  if (file === null) return null;
  try {
    const info = await file.stat();
    if (!info.isFile() || info.size >= MAX_POINTER_BYTES) return null;
    return parsePointer(await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}
