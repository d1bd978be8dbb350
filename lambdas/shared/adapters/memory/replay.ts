import { VerenError } from '../../../../contract/errors.ts';
import type { Change } from './tables.ts';

export const FILE = 'journal.ndjson';
export const FIRST_LINE = '{"journal":"veren","version":1}';

const NEWLINE = 10;

/**
 * The changes in a journal, oldest first. What follows the last newline was torn by a crash before it was acknowledged.
 * @throws VerenError DATA_FOLDER_UNUSABLE that names the line which cannot be read
 */
export function* parseJournal(dir: string, content: Buffer): Iterable<Change[]> {
  let start = 0;
  for (let number = 1; ; number++) {
    const end = content.indexOf(NEWLINE, start);
    if (end === -1) return;
    const line = content.toString('utf8', start, end);
    start = end + 1;
    if (number === 1) {
      if (line !== FIRST_LINE) throw damaged(dir, number, 'is not that of a journal which this version can read');
      continue;
    }
    const changes = parseLine(line);
    if (changes) yield changes;
    else if (start < content.length) throw damaged(dir, number, 'is damaged');
  }
}

function parseLine(line: string): Change[] | null {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) && value.every(isChange) ? value : null;
  } catch {
    return null;
  }
}

const isChange = (c: unknown): c is Change =>
  Array.isArray(c) && (c.length === 2 || c.length === 3) && typeof c[0] === 'string' && typeof c[1] === 'string';

const damaged = (path: string, line: number, what: string) =>
  new VerenError('DATA_FOLDER_UNUSABLE', {
    path,
    reason: `line ${line} of ${FILE} ${what}; delete the line to go on without it, or move the file away to start empty.`,
  });
