/** What a path is. Symlinks are never followed and submodules never fetched; rules can warn of both. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'submodule';

export type FileContent =
  | { readonly kind: 'text'; readonly text: string }
  /** Longer than the caller wanted; `head` holds the first bytes. */
  | { readonly kind: 'too-large'; readonly bytes: number; readonly head: string };

/**
 * Read-only view of a repository at one commit: the port of the detection engine. The listing is known from the start
 * and cheap; contents cost a round trip to the git host, so ask for all files in one batch.
 * Paths are relative to the root, `/` as separator, `.` for the root itself. `test/lambdas/shared/repo/repoFs.test.ts` holds every adapter to this.
 */
export interface RepoFs {
  /** Absent where there is nothing. */
  kind(path: string): EntryKind | undefined;
  /** Entries of a folder by name, in no promised order; empty where there is no such folder. */
  list(dir: string): ReadonlyMap<string, EntryKind>;
  /** Every listed folder, the root first, no folder before its parent. */
  directories(): Iterable<string>;
  /** Sentences for the user about what was left out of the listing, and why. */
  readonly notes: readonly string[];
  /** Contents of plain files; other paths are absent from the answer. Bytes that are not UTF-8 become U+FFFD. */
  read(paths: readonly string[], maxBytes: number): Promise<ReadonlyMap<string, FileContent>>;
}

/** `join('.', 'a')` → `a`; `join('a', 'b')` → `a/b`; `join('a', '.')` → `a`. Does not resolve `..`. */
export const join = (dir: string, name: string): string => (dir === '.' ? name : name === '.' ? dir : `${dir}/${name}`);

/** Parent folder; null for the root. */
export function parent(path: string): string | null {
  if (path === '.') return null;
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

/** The folder itself, its parent, …, the root. */
export function* upward(dir: string): Generator<string> {
  for (let at: string | null = dir; at !== null; at = parent(at)) yield at;
}

/** Folders between the root and the path: 0 for `.` , 1 for `a`. */
export const depth = (path: string): number => (path === '.' ? 0 : path.split('/').length);
