import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { changed, READ_FLAGS } from '../read.ts';
import type { OutputFile } from '../walk.ts';
import { type Find, SecretFinder } from './find.ts';
import { decoderOf, inflate, type Reading, readingOf, SNIFFED } from './text.ts';

const PART = 512 * 1_024;
/** The rest of the builder (what it sends, its time limit) has a turn so often. */
const TURN_MS = 20;

export interface ScanResult {
  /** With the checksums of the bytes that were scanned: only these may be published. */
  readonly files: readonly OutputFile[];
  /** In the order of the files. */
  readonly finds: readonly { readonly path: string; readonly find: Find }[];
  /** Compressed files that could not be read to their end. */
  readonly unread: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

/** Looks for secrets in every file of an output. Reads files as the publisher does: no links, no pipes, the size that was seen. */
export async function scanFiles(files: readonly OutputFile[], signal: AbortSignal): Promise<ScanResult> {
  const started = performance.now();
  const turns = new Turns(signal);
  const scanned: OutputFile[] = [];
  const finds: { path: string; find: Find }[] = [];
  const unread: string[] = [];
  let bytes = 0;
  for (const file of files) {
    const result = await scanFile(file, turns);
    scanned.push({ ...file, sha256: result.sha256 });
    for (const find of result.finds) finds.push({ path: file.path, find });
    if (!result.whole) unread.push(file.path);
    bytes += file.size;
  }
  return { files: scanned, finds, unread, bytes, seconds: (performance.now() - started) / 1_000 };
}

class Turns {
  readonly #signal: AbortSignal;
  #last = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Undefined where it is nobody else's turn yet: awaiting for every small file would take longer than reading it. */
  next(): Promise<void> | undefined {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#last < TURN_MS) return undefined;
    return nextTurn().then(() => {
      this.#last = performance.now();
    });
  }
}

interface ScannedBytes {
  readonly sha256: string;
  readonly finds: readonly Find[];
  readonly whole: boolean;
}

async function scanFile(file: OutputFile, turns: Turns): Promise<ScannedBytes> {
  const fd = openSync(file.source, READ_FLAGS);
  try {
    const info = fstatSync(fd);
    if (!info.isFile() || info.size !== file.size) throw changed(file);
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(PART, Math.max(file.size, 1)));
    let size = 0;
    const read = () => {
      if (size >= file.size) return buffer.subarray(0, 0);
      const length = readSync(fd, buffer, 0, buffer.length, size);
      size += length;
      const part = buffer.subarray(0, length);
      hash.update(part);
      return part;
    };
    const first = read();
    const reading = readingOf(file.path, first.subarray(0, SNIFFED));
    const finder = new SecretFinder();
    const whole = await scanParts({ first, read, reading, finder, turns });
    if (size !== file.size) throw changed(file);
    return { sha256: hash.digest('hex'), finds: reading === 'none' ? [] : finder.end(), whole };
  } finally {
    closeSync(fd);
  }
}

interface Parts {
  readonly first: Buffer;
  /** The next part; empty at the end. Its memory is used again for the one after. */
  readonly read: () => Buffer;
  readonly reading: Reading;
  readonly finder: SecretFinder;
  readonly turns: Turns;
}

async function scanParts({ first, read, reading, finder, turns }: Parts): Promise<boolean> {
  if (reading === 'gzip' || reading === 'brotli') {
    async function* parts() {
      for (let part = first; part.length > 0; part = read()) {
        yield Buffer.from(part); // the stream may still hold it when the next one is read
        await turns.next();
      }
    }
    return inflate(reading, parts(), (part) => finder.write(part.toString('latin1')));
  }
  const decode = decoderOf(reading);
  for (let part = first; part.length > 0; part = read()) {
    if (reading !== 'none') finder.write(decode(part));
    const turn = turns.next();
    if (turn) await turn;
  }
  return true;
}
