import { type Dirent, lstatSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join as joinNative } from 'node:path';
import { depth, type EntryKind, type FileContent, type RepoFs } from '../../contract/repo-fs.ts';
import { contentOf, EntryTree, HEAD_BYTES } from '../../lambdas/shared/repo/entryTree.ts';
import {
  isOrdinaryName,
  type ListingLimits,
  SKIPPED_FOLDERS,
  skippedNotes,
} from '../../lambdas/shared/repo/listing.ts';

/** A folder on disk seen as a repository (its `.git` is left out). The listing is made once; symlinks are not followed. */
export async function folderFs(root: string, limits: ListingLimits): Promise<RepoFs> {
  const tree = new EntryTree();
  let [entries, unusual, truncated] = [0, 0, false];
  for (const dir of tree.directories()) {
    if (entries >= limits.maxEntries || depth(dir) >= limits.maxDepth) {
      truncated = true;
      continue;
    }
    for (const entry of await readdir(joinNative(root, dir), { withFileTypes: true })) {
      if (!isOrdinaryName(entry.name)) unusual += 1;
      else if (!SKIPPED_FOLDERS.has(entry.name) && entries++ < limits.maxEntries)
        tree.add(dir, entry.name, kindOf(entry));
    }
  }
  return {
    notes: skippedNotes(unusual, truncated),
    kind: (path) => tree.kind(path),
    list: (dir) => tree.list(dir),
    directories: () => tree.directories(),
    async read(paths, maxBytes) {
      const found = new Map<string, FileContent>();
      for (const path of paths)
        if (tree.kind(path) === 'file') found.set(path, await readBounded(joinNative(root, path), maxBytes));
      return found;
    },
  };
  function kindOf(entry: Dirent): EntryKind {
    if (entry.isSymbolicLink()) return 'symlink';
    return entry.isDirectory() ? 'directory' : 'file';
  }
}

async function readBounded(file: string, maxBytes: number): Promise<FileContent> {
  // A pipe or a device would block the read for ever.
  if (!lstatSync(file).isFile()) return { kind: 'text', text: '' };
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, size > maxBytes ? HEAD_BYTES : maxBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return contentOf(buffer.subarray(0, bytesRead), size, maxBytes);
  } finally {
    await handle.close();
  }
}
