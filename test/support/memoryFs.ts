import type { EntryKind, FileContent, RepoFs } from '../../contract/repo-fs.ts';
import { contentOf, EntryTree } from '../../lambdas/shared/repo/entryTree.ts';

export type MemoryEntry = string | Buffer | { readonly kind: Exclude<EntryKind, 'file'> };

/** A repository written down as path → content, for tests of the engine. */
export function memoryFs(entries: Readonly<Record<string, MemoryEntry>>, notes: readonly string[] = []): RepoFs {
  const tree = new EntryTree();
  for (const [path, entry] of Object.entries(entries))
    tree.addPath(path, typeof entry === 'string' || Buffer.isBuffer(entry) ? 'file' : entry.kind);
  return {
    notes,
    kind: (path) => tree.kind(path),
    list: (dir) => tree.list(dir),
    directories: () => tree.directories(),
    async read(paths, maxBytes) {
      const found = new Map<string, FileContent>();
      for (const path of paths) {
        const entry = Object.hasOwn(entries, path) ? entries[path] : undefined;
        if (typeof entry !== 'string' && !Buffer.isBuffer(entry)) continue;
        const bytes = Buffer.from(entry);
        found.set(path, contentOf(bytes, bytes.length, maxBytes));
      }
      return found;
    },
  };
}
