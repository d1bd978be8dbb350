import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** A file of bytes that never changes: `[id, size]`. An object is a sequence of them. */
export type Segment = readonly [id: string, size: number];

const CHUNK = 256 * 1024;
const AT_ONCE = 64 * 1024;

/** Bytes `from` to `to` (inclusive) of an open file. */
interface Part {
  readonly file: FileHandle;
  readonly from: number;
  readonly to: number;
}

/**
 * Bytes on disk under random names, so that keys of objects never become paths. A blob counts only while an object in
 * the journal names it, so there is no half-written object; unnamed blobs are removed at start.
 */
export class Blobs {
  readonly #dir: string;
  readonly #references = new Map<string, number>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<Blobs> {
    const folders = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
    await Promise.all(folders.map((f) => mkdir(join(dir, f), { recursive: true, mode: 0o700 })));
    return new Blobs(dir);
  }

  #path(id: string): string {
    return join(this.#dir, id.slice(0, 2), id);
  }

  retain(segments: readonly Segment[]): void {
    for (const [id] of segments) this.#references.set(id, (this.#references.get(id) ?? 0) + 1);
  }

  /** Removes files that no object names any more; readers that have them open can go on reading. */
  release(segments: readonly Segment[]): void {
    for (const [id] of segments) {
      const left = (this.#references.get(id) ?? 0) - 1;
      if (left > 0) this.#references.set(id, left);
      else {
        this.#references.delete(id);
        // A file that cannot be removed now is removed at the next start.
        unlink(this.#path(id)).catch(() => undefined);
      }
    }
  }

  /** Whether there is any blob, named or not. */
  async hasAny(): Promise<boolean> {
    for (const folder of await readdir(this.#dir)) if ((await readdir(join(this.#dir, folder))).length > 0) return true;
    return false;
  }

  /** Removes unnamed files from before a restart. Call it after all objects were loaded and before any is written. */
  async sweep(): Promise<void> {
    for (const folder of await readdir(this.#dir)) {
      const stale = (await readdir(join(this.#dir, folder))).filter((id) => !this.#references.has(id));
      await Promise.all(stale.map((id) => rm(join(this.#dir, folder, id), { force: true })));
    }
  }

  /** The blob is held (as by `retain`) from `finish` on. */
  writer(): BlobWriter {
    const id = randomUUID().replaceAll('-', ''); // from a pool, unlike single random bytes
    return new BlobWriter(id, this.#path(id), (segment) => this.retain([segment]));
  }

  /**
   * Opens what holds the bytes `start` to `end` (inclusive) of the segments.
   * @throws with code ENOENT where a blob was removed in the meantime.
   */
  async read(segments: readonly Segment[], start: number, end: number): Promise<Readable> {
    const parts: Part[] = [];
    let offset = 0;
    try {
      for (const [id, size] of segments) {
        const from = Math.max(start - offset, 0);
        const to = Math.min(end - offset, size - 1);
        offset += size;
        if (from > to) continue;
        const file = await open(this.#path(id), 'r');
        parts.push({ file, from, to });
        if ((await file.stat()).size !== size) throw new Error(`Blob ${id} is damaged.`);
      }
    } catch (error) {
      await Promise.all(parts.map((p) => p.file.close()));
      throw error;
    }
    return streamParts(parts);
  }
}

/** Not a generator: one that is destroyed before its first read would never close its files. */
function streamParts(parts: readonly Part[]): Readable {
  let index = 0;
  let at = parts[0]?.from ?? 0;
  return new Readable({
    highWaterMark: CHUNK,
    read() {
      const part = parts[index];
      if (!part) {
        this.push(null);
        return;
      }
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, part.to - at + 1));
      part.file.read(buffer, 0, buffer.length, at).then(
        ({ bytesRead }) => {
          if (bytesRead === 0) return this.destroy(new Error('A blob became shorter while it was read.'));
          at += bytesRead;
          if (at > part.to) at = parts[++index]?.from ?? 0;
          this.push(buffer.subarray(0, bytesRead));
        },
        (error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      Promise.all(parts.map((p) => p.file.close())).then(
        () => callback(error),
        (failure) => callback(error ?? failure),
      );
    },
  });
}

/** Small contents reach the disk in one write. */
export class BlobWriter {
  readonly #id: string;
  readonly #path: string;
  readonly #onFinish: (segment: Segment) => void;
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #size = 0;
  #file: FileHandle | undefined;

  constructor(id: string, path: string, onFinish: (segment: Segment) => void) {
    this.#id = id;
    this.#path = path;
    this.#onFinish = onFinish;
  }

  async write(data: Buffer): Promise<void> {
    this.#pending.push(data);
    this.#pendingSize += data.length;
    this.#size += data.length;
    if (this.#pendingSize >= CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#file ??= await open(this.#path, 'wx', 0o600);
    await this.#file.writeFile(this.#takePending());
  }

  #takePending(): Buffer {
    const data = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingSize = 0;
    return data;
  }

  /** No segment for no bytes. */
  async finish(): Promise<Segment[]> {
    if (this.#size === 0) return [];
    // So small that writing it synchronously takes less time than three trips to the thread pool.
    if (!this.#file && this.#size <= AT_ONCE)
      writeFileSync(this.#path, this.#takePending(), { flag: 'wx', mode: 0o600 });
    else {
      if (this.#pendingSize > 0) await this.#flush();
      await this.#file?.close();
    }
    const segment: Segment = [this.#id, this.#size];
    this.#onFinish(segment);
    return [segment];
  }

  async discard(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}
