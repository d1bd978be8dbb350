import { type EntryKind, join, parent } from '../../../contract/repo-fs.ts';
import { EntryTree } from './entryTree.ts';
import { isOrdinaryName, type ListingLimits, SKIPPED_FOLDERS, skippedNotes } from './listing.ts';
import type { ObjectReader } from './objectReader.ts';
import type { Pace } from './pace.ts';
import { parseTree } from './parseTree.ts';

export interface WalkedTree {
  readonly tree: EntryTree;
  /** Object id of whatever is there: of a file, a folder, a link, or the commit of a submodule. */
  oid(path: string): string | undefined;
  readonly notes: readonly string[];
}

/** One folder: 200,000 files with names of usual length. */
const MAX_TREE_BYTES = 8 * 1024 * 1024;
/** All folders together, each as often as it is read. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Characters of the folders' paths together: a path is as long as twelve names. */
const MAX_PATHS = 16 * 1024 * 1024;
/** Entries between two looks at the clock. */
const STEP = 256;

/**
 * Lists a commit's tree breadth first, within limits, one folder in memory at a time. Walking it here rather than with
 * `ls-tree -r` leaves `node_modules` unread and survives a tree that refers to itself many times over (ten levels of ten
 * equal folders are ten thousand million paths in eleven objects).
 */
export async function walkTree(
  reader: ObjectReader,
  rootTree: string,
  limits: ListingLimits,
  pace: Pace,
): Promise<WalkedTree> {
  const walk = new Walk(limits, rootTree.length / 2, pace);
  let level: FoldersByTree = new Map([[rootTree, ['.']]]);
  for (let deep = 0; level.size > 0 && !walk.full; deep++) {
    if (deep >= limits.maxDepth) {
      walk.cut = true;
      break;
    }
    level = await walk.level(reader, level);
  }
  const { tree, oids, unusual, full, cut } = walk;
  const oidOf = (path: string) =>
    path === '.' ? rootTree : oids.get(parent(path) ?? '.')?.get(path.slice(path.lastIndexOf('/') + 1));
  return { tree, oid: oidOf, notes: skippedNotes(unusual, full || cut) };
}

/** Folders of one level; those with equal content are read once. */
type FoldersByTree = Map<string, string[]>;

class Walk {
  readonly tree = new EntryTree();
  readonly oids = new Map<string, Map<string, string>>();
  unusual = 0;
  /** A limit is reached: nothing more is listed. */
  full = false;
  /** True where a part of a folder was left out. */
  cut = false;
  #entries = 0;
  #bytes = 0;
  #paths = 0;
  readonly #limits: ListingLimits;
  readonly #idLength: number;
  readonly #pace: Pace;

  constructor(limits: ListingLimits, idLength: number, pace: Pace) {
    this.#limits = limits;
    this.#idLength = idLength;
    this.#pace = pace;
  }

  /** Lists these folders; gives those below them. */
  async level(reader: ObjectReader, folders: FoldersByTree): Promise<FoldersByTree> {
    const below: FoldersByTree = new Map();
    const trees = [...folders];
    for (let i = 0; i < trees.length && !this.full; ) {
      const rest = trees.slice(i).map(([oid]) => oid);
      for await (const object of reader.read(rest, MAX_TREE_BYTES)) {
        const dirs = trees[i++]![1];
        if (object?.type !== 'tree') continue;
        for (const dir of dirs) if (!this.full) await this.#list(object.bytes, dir, below);
        const cut = object.size > MAX_TREE_BYTES;
        this.cut ||= cut;
        // The rest of a folder that was cut is not read; the folders after it are requested again.
        if (this.full || cut) break;
      }
    }
    return below;
  }

  async #list(bytes: Buffer, dir: string, below: FoldersByTree): Promise<void> {
    this.#bytes += bytes.length;
    for (const { mode, name, oid } of parseTree(bytes, this.#idLength)) {
      this.full ||= this.#entries >= this.#limits.maxEntries || this.#paths > MAX_PATHS || this.#bytes > MAX_BYTES;
      if (this.full) return;
      // Every entry counts, also those that are left out, since there may be millions of them.
      this.#entries += 1;
      if (this.#entries % STEP === 0 && this.#pace.due) await this.#pace.rest();
      if (!isOrdinaryName(name)) this.unusual += 1;
      else if (!SKIPPED_FOLDERS.has(name)) this.#add(dir, name, kindOf(mode), oid, below);
    }
  }

  #add(dir: string, name: string, kind: EntryKind, oid: string, below: FoldersByTree): void {
    this.tree.add(dir, name, kind);
    listOf(this.oids, dir, () => new Map<string, string>()).set(name, oid);
    if (kind !== 'directory') return;
    const path = join(dir, name);
    this.#paths += path.length;
    listOf(below, oid, () => []).push(path);
  }
}

function listOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Modes of tree entries. Source: gitformat-index(5) and `git fast-import`'s filemodify. */
function kindOf(mode: string): EntryKind {
  if (mode === '40000') return 'directory';
  if (mode === '120000') return 'symlink';
  if (mode === '160000') return 'submodule';
  return 'file';
}
