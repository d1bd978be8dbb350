import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Blobs, type Segment } from './blobs.ts';
import { BucketIndex, type StoredObject } from './bucketIndex.ts';
import { type ObjectJournal, openJournal } from './journal.ts';

type Entry =
  | { readonly op: 'bucket'; readonly bucket: string; readonly at: number }
  | { readonly op: 'put'; readonly bucket: string; readonly key: string; readonly object: StoredObject }
  | { readonly op: 'delete'; readonly bucket: string; readonly key: string };

export interface Bucket {
  readonly createdAt: number;
  readonly index: BucketIndex;
}

/** Throws where the write must not happen. Runs with nothing between it and the write that could change the object. */
export type Precondition = (current: StoredObject | undefined) => void;

/** Objects: metadata in memory and in a journal, bytes in blobs. The journal line is what makes a write happen. */
export class ObjectStore {
  readonly buckets = new Map<string, Bucket>();
  readonly blobs: Blobs;
  #journal!: ObjectJournal<Entry>;
  readonly #turns = new Map<string, Promise<void>>();

  private constructor(blobs: Blobs) {
    this.blobs = blobs;
  }

  /** @param onRepair Told, in one sentence, of a journal that was repaired. */
  static async open(dir: string, onRepair: (sentence: string) => void = () => undefined): Promise<ObjectStore> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const store = new ObjectStore(await Blobs.open(join(dir, 'blobs')));
    // While the journal is read, replaced objects must not unlink: a later line may name the same blob again (a copy).
    let retain = false;
    let mayHaveLost = false;
    store.#journal = await openJournal<Entry>({
      path: join(dir, 'objects.ndjson'),
      apply: (entry) => store.#apply(entry, retain),
      snapshot: () => store.#snapshot(),
      size: () => store.#size(),
      hasEvidence: () => store.blobs.hasAny(),
      onRepair(sentence, lost) {
        mayHaveLost = lost;
        onRepair(sentence);
      },
    });
    retain = true;
    for (const { index } of store.buckets.values())
      for (const [, object] of index.entries()) store.blobs.retain(object.segments);
    // Blobs that only lost records name stay until the next start, so that the records can be restored.
    if (!mayHaveLost) await store.blobs.sweep();
    return store;
  }

  #apply(entry: Entry, release: boolean): void {
    if (entry.op === 'bucket') {
      this.buckets.set(entry.bucket, { createdAt: entry.at, index: new BucketIndex() });
      return;
    }
    const index = this.buckets.get(entry.bucket)?.index;
    const before = index?.get(entry.key);
    if (entry.op === 'put') index?.set(entry.key, entry.object);
    else index?.delete(entry.key);
    if (before && release) this.blobs.release(before.segments);
  }

  *#snapshot(): Iterable<Entry> {
    for (const [bucket, { createdAt, index }] of this.buckets) {
      yield { op: 'bucket', bucket, at: createdAt };
      for (const [key, object] of index.entries()) yield { op: 'put', bucket, key, object };
    }
  }

  #size(): number {
    let size = this.buckets.size;
    for (const { index } of this.buckets.values()) size += index.size;
    return size;
  }

  /** False where it exists. */
  createBucket(bucket: string, at: number): Promise<boolean> {
    return this.#inTurn(bucket, async () => {
      if (this.buckets.has(bucket)) return false;
      await this.#journal.append({ op: 'bucket', bucket, at });
      return true;
    });
  }

  get(bucket: string, key: string): StoredObject | undefined {
    return this.buckets.get(bucket)?.index.get(key);
  }

  /** Takes over one hold on every segment: of `BlobWriter.finish`, or of `blobs.retain` for a copy. */
  async put(bucket: string, key: string, object: StoredObject, precondition?: Precondition): Promise<void> {
    try {
      await this.#inTurn(`${bucket}/${key}`, async () => {
        precondition?.(this.get(bucket, key));
        await this.#journal.append({ op: 'put', bucket, key, object });
      });
    } catch (error) {
      this.blobs.release(object.segments as Segment[]);
      throw error;
    }
  }

  delete(bucket: string, key: string, precondition?: Precondition): Promise<void> {
    return this.#inTurn(`${bucket}/${key}`, async () => {
      const current = this.get(bucket, key);
      precondition?.(current);
      if (current) await this.#journal.append({ op: 'delete', bucket, key });
    });
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  /** One writer per name at a time, in the order of the calls. */
  async #inTurn<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name);
    let done!: () => void;
    const turn = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#turns.set(name, turn);
    try {
      await before;
      return await action();
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
      done();
    }
  }
}
