import type { Segment } from './blobs.ts';
import type { ChecksumName } from './checksums.ts';

export interface StoredObject {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Response headers to give back: Content-Type, x-amz-meta-… */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: {
    readonly name: ChecksumName;
    readonly value: string;
    readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  };
  readonly segments: readonly Segment[];
}

export interface Listing {
  readonly objects: readonly (readonly [key: string, object: StoredObject])[];
  readonly commonPrefixes: readonly string[];
  /** Where to go on; absent at the end. */
  readonly next?: string;
}

/** Order of S3: by UTF-8 bytes. UTF-16 units agree but for surrogates, which stand for what is above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rankOfUnit(x) - rankOfUnit(y);
  }
  return a.length - b.length;
}
const rankOfUnit = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

/** The objects of one bucket by key, listable in order. */
export class BucketIndex {
  readonly #objects = new Map<string, StoredObject>();
  /** Sorted; made when first listed, kept up after that. */
  #keys: string[] | undefined;

  get size(): number {
    return this.#objects.size;
  }

  entries(): Iterable<[string, StoredObject]> {
    return this.#objects;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  set(key: string, object: StoredObject): void {
    if (this.#keys && !this.#objects.has(key)) this.#keys.splice(this.#lowerBound(this.#keys, key), 0, key);
    this.#objects.set(key, object);
  }

  delete(key: string): void {
    if (this.#objects.delete(key) && this.#keys) this.#keys.splice(this.#lowerBound(this.#keys, key), 1);
  }

  #lowerBound(keys: readonly string[], key: string): number {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** First position whose key neither is before `from` nor starts with `prefix`. */
  #afterPrefix(keys: readonly string[], from: number, prefix: string): number {
    let low = from;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]!.startsWith(prefix)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param after Everything up to and with this key, or below this common prefix, is left out. */
  list(query: { prefix: string; delimiter: string; after: string; limit: number }): Listing {
    const { prefix, delimiter, after, limit } = query;
    this.#keys ??= [...this.#objects.keys()].sort(compareKeys);
    const keys = this.#keys;
    let at = this.#lowerBound(keys, compareKeys(after, prefix) > 0 ? after : prefix);
    const objects: [string, StoredObject][] = [];
    const commonPrefixes: string[] = [];
    let last = '';
    while (at < keys.length && keys[at]!.startsWith(prefix)) {
      const key = keys[at]!;
      const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
      const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
      if (common === undefined ? after !== '' && compareKeys(key, after) <= 0 : after.startsWith(common)) {
        at = common === undefined ? at + 1 : this.#afterPrefix(keys, at, common);
        continue;
      }
      if (objects.length + commonPrefixes.length === limit)
        return { objects, commonPrefixes, ...(limit > 0 && { next: last }) };
      if (common === undefined) {
        objects.push([key, this.#objects.get(key)!]);
        at++;
      } else {
        commonPrefixes.push(common);
        at = this.#afterPrefix(keys, at, common);
      }
      last = common ?? key;
    }
    return { objects, commonPrefixes };
  }
}
