import { type FileHandle, open } from 'node:fs/promises';

/** Append-only lines of text, counted from 1. */
export interface Lines {
  readonly count: number;
  readonly bytes: number;
  append(lines: readonly string[]): Promise<void>;
  /** At most `limit` lines after the first `after`. */
  read(after: number, limit: number): Promise<string[]>;
  close(): Promise<void>;
}

/** Lines without a disk. */
export function arrayLines(): Lines {
  const kept: string[] = [];
  let bytes = 0;
  return {
    get count() {
      return kept.length;
    },
    get bytes() {
      return bytes;
    },
    async append(lines) {
      for (const line of lines) bytes += Buffer.byteLength(line) + 1;
      kept.push(...lines);
    },
    read: async (after, limit) => kept.slice(after, after + limit),
    close: async () => {},
  };
}

/** For every so many lines their position in the file is kept in memory. */
const STRIDE = 256;
const SCAN_CHUNK = 256 * 1024;
const NEWLINE = 10;

/**
 * Lines in a file, with only an index in memory. `onLine` is called once with each existing line, in order. A last line
 * that a crash left incomplete is cut off, since it was never acknowledged.
 */
export async function fileLines(path: string, onLine: (line: string) => void): Promise<Lines> {
  const file = await open(path, 'a+', 0o600);
  /** `places[i]`: where line `i * STRIDE + 1` starts. */
  const places = [0];
  let count = 0;
  let bytes = 0;
  const countBytes = (length: number) => {
    bytes += length;
    if (++count % STRIDE === 0) places.push(bytes);
  };

  for await (const line of scanFile(file)) {
    onLine(line.toString('utf8'));
    countBytes(line.length + 1);
  }
  await file.truncate(bytes);

  return {
    get count() {
      return count;
    },
    get bytes() {
      return bytes;
    },
    async append(lines) {
      // No sync: a completed write survives kill -9 of this process, which is enough for log lines
      // (docs/decisions/adapters-journal.md).
      try {
        await file.appendFile(`${lines.join('\n')}\n`);
      } catch (e) {
        await file.truncate(bytes);
        throw e;
      }
      for (const line of lines) countBytes(Buffer.byteLength(line) + 1);
    },
    async read(after, limit) {
      const last = Math.min(after + limit, count);
      if (after >= last) return [];
      const block = Math.floor(after / STRIDE);
      const start = places[block]!;
      const end = places[Math.ceil(last / STRIDE)] ?? bytes;
      const buffer = Buffer.allocUnsafe(end - start);
      await file.read(buffer, 0, buffer.length, start);
      const lines = buffer.toString('utf8').split('\n');
      return lines.slice(after - block * STRIDE, last - block * STRIDE);
    },
    close: () => file.close(),
  };
}

/** The whole lines of a file, without their newline. */
async function* scanFile(file: FileHandle): AsyncIterable<Buffer> {
  const chunk = Buffer.allocUnsafe(SCAN_CHUNK);
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    let data: Buffer = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE)) {
      yield data.subarray(0, end);
      data = data.subarray(end + 1);
    }
    rest = data;
  }
}
