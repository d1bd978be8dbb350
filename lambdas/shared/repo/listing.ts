/** Rules for every listing of a repository, from git or from a folder. */

export interface ListingLimits {
  /** Entries after which the listing stops; shallow folders come first. */
  readonly maxEntries: number;
  /** Folders below each other; what is deeper is not listed. */
  readonly maxDepth: number;
}

/** Installed or generated folders: no rule needs them, and a committed `node_modules` may hold 100,000 manifests. */
export const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['.git', 'node_modules', 'bower_components']);

/**
 * Whether a name can be used as part of a path in a plan. Not so: what is no path component (`..`, a slash: only a
 * hostile server sends those), control characters (a newline in a variable or a log line), a backslash, bytes that are
 * not UTF-8 (decoded as U+FFFD), a leading `-` (would be read as an option) and names longer than any file system has.
 */
export const isOrdinaryName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  name.length <= 255 &&
  !name.startsWith('-') &&
  !/[\u0000-\u001f\u007f\ufffd/\\]/.test(name);

export function skippedNotes(unusual: number, truncated: boolean): string[] {
  const notes: string[] = [];
  if (unusual > 0)
    notes.push(
      `${unusual} ${unusual === 1 ? 'entry has a name' : 'entries have names'} that cannot be used in a path and ${unusual === 1 ? 'was' : 'were'} left out.`,
    );
  if (truncated)
    notes.push(
      'The repository has more files or deeper folders than are looked at; if something was missed, name it with "frontend.path" or "backend.path".',
    );
  return notes;
}
