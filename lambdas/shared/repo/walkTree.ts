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
/** Folders that are read before the limit is looked at again. */
const WINDOW = 4_096;
/**
 * Lists a commit's tree breadth first, within limits. Walking it here rather than with `ls-tree -r` leaves
 * `node_modules` unread and survives a tree that refers to itself many times over (ten levels of ten equal folders are
 * ten thousand million paths in eleven objects).
 */
export async function walkTree(reader: ObjectReader, rootTree: string, limits: ListingLimits): Promise<WalkedTree> {
  const tree = new EntryTree();
  const blobs = new Map<string, string>();
  let [entries, unusual, truncated] = [0, 0, false];
  const idLength = rootTree.length / 2;
  let level: { dir: string; oid: string }[] = [{ dir: '.', oid: rootTree }];
  while (level.length > 0 && !truncated) {
    const next: typeof level = [];
    for (let i = 0; i < level.length && entries < limits.maxEntries; i += WINDOW) {
      const part = level.slice(i, i + WINDOW);
      const trees = await readTrees(reader, part, idLength);
      for (const { dir, oid: treeId } of part) {
        for (const { mode, name, oid } of trees.get(treeId) ?? []) {
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
      }
    }
    const deeper = next[0];
    truncated = entries >= limits.maxEntries || (deeper !== undefined && depth(deeper.dir) >= limits.maxDepth);
    level = next;
  }
  return { tree, blobs, notes: skippedNotes(unusual, truncated) };
}

/** Each tree once, however often it appears. */
async function readTrees(
  reader: ObjectReader,
  folders: readonly { readonly oid: string }[],
  idLength: number,
): Promise<ReadonlyMap<string, readonly TreeEntry[]>> {
  const oids = [...new Set(folders.map(({ oid }) => oid))];
  const objects = await reader.read(oids, MAX_TREE_BYTES);
  return new Map(
    objects.map((object, i) => [oids[i]!, object?.type === 'tree' ? [...parseTree(object.bytes, idLength)] : []]),
  );
}

/** Modes of tree entries. Source: gitformat-index(5) and `git fast-import`'s filemodify. */
function kindOf(mode: string): EntryKind {
  if (mode === '40000') return 'directory';
  if (mode === '120000') return 'symlink';
  if (mode === '160000') return 'submodule';
  return 'file';
}

interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/** Entries are `<mode> <name> NUL <raw object id>`; the id has 20 bytes, or 32 in a SHA-256 repository. */
function* parseTree(bytes: Buffer, idLength: number): Generator<TreeEntry> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + 1 + idLength > bytes.length) return;
    const end = nul + 1 + idLength;
    yield {
      mode: bytes.toString('latin1', at, space),
      name: bytes.toString('utf8', space + 1, nul),
      oid: bytes.toString('hex', nul + 1, end),
    };
    at = end;
  }
}
