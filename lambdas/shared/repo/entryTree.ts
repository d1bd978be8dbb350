import { type EntryKind, parent } from '../../../contract/repo-fs.ts';

const NOTHING: ReadonlyMap<string, EntryKind> = new Map();

/** Listing of a repository in memory, which every `RepoFs` adapter fills and reads. */
export class EntryTree {
  readonly #folders = new Map<string, Map<string, EntryKind>>([['.', new Map()]]);

  /** Adds an entry below a folder that was added before. */
  add(dir: string, name: string, kind: EntryKind): void {
    this.#folders.get(dir)?.set(name, kind);
    if (kind === 'directory') this.#folders.set(dir === '.' ? name : `${dir}/${name}`, new Map());
  }

  /** Adds a path and the folders above it. */
  addPath(path: string, kind: EntryKind): void {
    const dir = parent(path) ?? '.';
    if (!this.#folders.has(dir)) this.addPath(dir, 'directory');
    this.add(dir, path.slice(path.lastIndexOf('/') + 1), kind);
  }

  kind(path: string): EntryKind | undefined {
    if (path === '.') return 'directory';
    return this.#folders.get(parent(path) ?? '.')?.get(path.slice(path.lastIndexOf('/') + 1));
  }

  list(dir: string): ReadonlyMap<string, EntryKind> {
    return this.#folders.get(dir) ?? NOTHING;
  }

  directories(): Iterable<string> {
    return this.#folders.keys();
  }
}

/** Text of the bytes, or only of the first ones where there are more than `maxBytes`. */
export function contentOf(
  bytes: Buffer,
  size: number,
  maxBytes: number,
): { kind: 'text'; text: string } | { kind: 'too-large'; bytes: number; head: string } {
  if (size > maxBytes) return { kind: 'too-large', bytes: size, head: bytes.subarray(0, HEAD_BYTES).toString('utf8') };
  return { kind: 'text', text: bytes.toString('utf8') };
}

/** How many bytes of a file over the limit are kept: enough for the first lines of a lockfile. */
export const HEAD_BYTES = 4_096;
