import type { JournalFormat } from './journalFile.ts';
import type { Change } from './tables.ts';

export const FILE = 'journal.ndjson';

/** A record is the changes that were committed together. */
export const FORMAT: JournalFormat = {
  header: '{"journal":"veren","version":2}',
  legacyHeader: '{"journal":"veren","version":1}',
  isRecord: (value) => Array.isArray(value) && value.every(isChange),
};

const isChange = (c: unknown): c is Change =>
  Array.isArray(c) && (c.length === 2 || c.length === 3) && typeof c[0] === 'string' && typeof c[1] === 'string';
