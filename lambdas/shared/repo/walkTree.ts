import { EntryTree } from './entryTree.ts';
import { isOrdinaryName, type ListingLimits, SKIPPED_FOLDERS, skippedNotes } from './listing.ts';
import type { ObjectReader } from './objectReader.ts';
import { depth, type EntryKind, join } from './repoFs.ts';

export interface WalkedTree {
  readonly tree: EntryTree;
  /** Object ids of plain files, by path. */
  readonly blobs: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/** A tree object with more entries than fit here is itself over every limit. */
const MAX_TREE_BYTES = 64 * 1024 * 1024;
/** Objects asked for at a time: enough to keep git busy, few enough to keep memory small. */
const WINDOW = 64;

/**
 * Lists a commit's tree breadth first, within limits. Walking it here rather than with `ls-tree -r` leaves
 * `node_modules` unread and survives a tree that refers to itself many times over (ten levels of ten equal folders are
 * ten thousand million paths in eleven objects).
 */
export async function walkTree(reader: ObjectReader, rootTree: string, limits: ListingLimits): Promise<WalkedTree> {
  const tree = new EntryTree();
  const blobs = new Map<string, string>();
  let [entries, unusual, truncated] = [0, 0, false];
  let level: { dir: string; oid: string }[] = [{ dir: '.', oid: rootTree }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (let i = 0; i < level.length && entries < limits.maxEntries; i += WINDOW) {
      const part = level.slice(i, i + WINDOW);
      const objects = await Promise.all(part.map(({ oid }) => reader.read(oid, MAX_TREE_BYTES)));
      objects.forEach((object, k) => {
        const { dir } = part[k]!;
        for (const { mode, name, oid } of parseTree(
          object?.type === 'tree' ? object.bytes : NO_BYTES,
          rootTree.length / 2,
        )) {
          if (entries >= limits.maxEntries) break;
          if (!isOrdinaryName(name)) {
            unusual += 1;
            continue;
          }
          if (SKIPPED_FOLDERS.has(name)) continue;
          entries += 1;
          const kind = kindOf(mode);
          tree.add(dir, name, kind);
          const path = join(dir, name);
          if (kind === 'file') blobs.set(path, oid);
          if (kind === 'directory') next.push({ dir: path, oid });
        }
      });
    }
    if (entries >= limits.maxEntries || (next.length > 0 && depth(next[0]!.dir) >= limits.maxDepth)) truncated = true;
    level = truncated ? [] : next;
  }
  return { tree, blobs, notes: skippedNotes(unusual, truncated) };
}

const NO_BYTES = Buffer.alloc(0);

/** Modes of tree entries. Source: gitformat-index(5) and `git fast-import`'s filemodify. */
function kindOf(mode: string): EntryKind {
  if (mode === '40000') return 'directory';
  if (mode === '120000') return 'symlink';
  if (mode === '160000') return 'submodule';
  return 'file';
}

/** Entries are `<mode> <name> NUL <raw object id>`; the id has 20 bytes, or 32 in a SHA-256 repository. */
function* parseTree(bytes: Buffer, idLength: number): Generator<{ mode: string; name: string; oid: string }> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + idLength >= bytes.length + 1) return;
    const end = nul + 1 + idLength;
    yield {
      mode: bytes.toString('latin1', at, space),
      name: bytes.toString('utf8', space + 1, nul),
      oid: bytes.toString('hex', nul + 1, end),
    };
    at = end;
  }
}
