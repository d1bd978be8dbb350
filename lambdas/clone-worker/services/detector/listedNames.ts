import { type EntryKind, join, type RepoFs } from '../../../../contract/repo-fs.ts';

/** Whether a folder holds an entry that is wanted. A hostile folder has 200,000 entries, so no list of them is made. */
export function holdsEntry(fs: RepoFs, dir: string, isWanted: (name: string, kind: EntryKind) => boolean): boolean {
  for (const [name, kind] of fs.list(dir)) if (isWanted(name, kind)) return true;
  return false;
}

/** Names in a folder that are wanted, `most` of them at most; of the others no copy is made. */
export function namesWhere(
  fs: RepoFs,
  dir: string,
  isWanted: (name: string, kind: EntryKind) => boolean,
  most = Number.POSITIVE_INFINITY,
): string[] {
  const names: string[] = [];
  for (const [name, kind] of fs.list(dir)) {
    if (names.length >= most) break;
    if (isWanted(name, kind)) names.push(name);
  }
  return names;
}

/** Files of a folder whose names match. */
export const filesNamed = (fs: RepoFs, dir: string, pattern: RegExp): string[] =>
  namesWhere(fs, dir, (name, kind) => kind === 'file' && pattern.test(name)).map((name) => join(dir, name));

/** Folders of a folder that can be packages of sources. */
export const foldersIn = (fs: RepoFs, dir: string): string[] =>
  namesWhere(fs, dir, (name, kind) => kind === 'directory' && /^[a-z_][\w-]{0,60}$/i.test(name)).map((name) =>
    join(dir, name),
  );
