export interface TreeEntry {
  readonly mode: string;
  /** Empty where it is longer than any name. */
  readonly name: string;
  readonly oid: string;
}

/** Names have at most 255 characters, of four bytes. */
const MAX_NAME = 4 * 255;
const MAX_MODE = 6;

/**
 * Entries of a tree object, one after another: `<mode> <name> NUL <raw object id>`; the id has 20 bytes, or 32 in a
 * SHA-256 repository. Ends before an entry that is cut off.
 */
export function* parseTree(bytes: Buffer, idLength: number): Generator<TreeEntry, void> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const nul = space < 0 ? -1 : bytes.indexOf(0, space);
    const end = nul + 1 + idLength;
    if (nul < 0 || end > bytes.length) return;
    yield {
      mode: space - at > MAX_MODE ? '' : bytes.toString('latin1', at, space),
      name: nul - space > MAX_NAME ? '' : bytes.toString('utf8', space + 1, nul),
      oid: bytes.toString('hex', nul + 1, end),
    };
    at = end;
  }
}
