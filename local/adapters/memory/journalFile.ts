import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';

/**
 * A journal is a file of lines: a header, then records. The line of a record is its checksum, a space and its JSON.
 * Records of the earlier version have no checksum and are still read.
 */
export interface JournalFormat {
  /** First line, without its newline. */
  readonly header: string;
  /** First line of files whose records have no checksum; null where such files begin with a record. */
  readonly legacyHeader: string | null;
  readonly isRecord: (value: unknown) => boolean;
}

/** The result of `readJournal`. */
export interface JournalEnd {
  /** Bytes up to the end of the last complete record. */
  readonly length: number;
  readonly records: number;
  /** False for a file of the version before. */
  readonly isCurrent: boolean;
  /** The bytes after the last complete record; empty where there are none. */
  readonly tail: Buffer;
}

const NEWLINE = 10;
const SUM_LENGTH = 16;
const BAD = Symbol('bad');

const checksumOf = (data: string | Buffer) => createHash('sha256').update(data).digest('hex').slice(0, SUM_LENGTH);

/** The line of a record, with its newline. */
export function encodeRecord(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checksumOf(json)} ${json}\n`;
}

/**
 * Calls `apply` with every complete record, oldest first. Unreadable lines at the end are a tail: a crash interrupted
 * their writing before they were acknowledged, or the disk has lost them. Unreadable lines with complete ones after
 * them are damage.
 * @param path The file's, for messages.
 * @throws VerenError DATA_FOLDER_UNUSABLE for an empty file, one cut inside its first line, another format, and damage
 */
export function readJournal(
  path: string,
  content: Buffer,
  format: JournalFormat,
  apply: (record: unknown) => void,
): JournalEnd {
  const [first, afterFirst] = lineAt(content, 0) ?? [content, content.length];
  const isCurrent = first.equals(Buffer.from(format.header));
  const isLegacy = !isCurrent && format.legacyHeader !== null && first.equals(Buffer.from(format.legacyHeader));
  const hasHeader = (isCurrent || isLegacy) && afterFirst > first.length;
  if (!hasHeader && (format.legacyHeader !== null || decodeLine(first, format, true) === BAD || !isWhole(content)))
    throw unreadableFile(path, content.length === 0 ? 'is empty' : 'has a first line that this version cannot read');

  let start = hasHeader ? afterFirst : 0;
  let records = 0;
  let number = hasHeader ? 2 : 1;
  for (let found = lineAt(content, start); found; found = lineAt(content, start)) {
    const record = decodeLine(found[0], format, !isCurrent);
    if (record === BAD) {
      if (holdsRecord(content, found[1], format, !isCurrent)) throw damagedFile(path, number);
      break;
    }
    apply(record);
    records++;
    number++;
    start = found[1];
  }
  return { length: start, records, isCurrent, tail: content.subarray(start) };
}

const isWhole = (content: Buffer) => content.includes(NEWLINE);

/** The line that starts at `start`, without its newline, and where the next one starts. */
function lineAt(content: Buffer, start: number): [line: Buffer, next: number] | null {
  const end = content.indexOf(NEWLINE, start);
  return end === -1 ? null : [content.subarray(start, end), end + 1];
}

function decodeLine(line: Buffer, format: JournalFormat, mayBePlain: boolean): unknown {
  const sum = line.toString('latin1', 0, SUM_LENGTH + 1);
  const hasSum = /^[0-9a-f]{16} $/.test(sum);
  if (!hasSum && !mayBePlain) return BAD;
  const json = hasSum ? line.subarray(SUM_LENGTH + 1) : line;
  if (hasSum && checksumOf(json) !== sum.trimEnd()) return BAD;
  try {
    const value: unknown = JSON.parse(json.toString('utf8'));
    return format.isRecord(value) ? value : BAD;
  } catch {
    return BAD;
  }
}

function holdsRecord(content: Buffer, from: number, format: JournalFormat, mayBePlain: boolean): boolean {
  for (let found = lineAt(content, from); found; found = lineAt(content, found[1]))
    if (decodeLine(found[0], format, mayBePlain) !== BAD) return true;
  return false;
}

/** Copies an unreadable tail to a file beside the journal, before it is cut off. @returns a sentence about it */
export async function keepTailAside(path: string, tail: Buffer, now = new Date()): Promise<string> {
  const aside = `${path}.tail-${now
    .toISOString()
    .replace(/[^0-9T]/g, '')
    .slice(0, 15)}-${randomBytes(3).toString('hex')}`;
  await writeFile(aside, tail, { mode: 0o600, flag: 'wx', flush: true });
  return `The last ${tail.length} bytes of ${path} cannot be read (a crash or a power cut) and were moved to ${aside}; all before them is there.`;
}

const ADVICE = 'put a copy of it back, or move it away to start empty.';

export const unreadableFile = (path: string, what: string) =>
  new VerenError('DATA_FOLDER_UNUSABLE', { path: dirname(path), reason: `${basename(path)} ${what}; ${ADVICE}` });

const damagedFile = (path: string, line: number) =>
  new VerenError('DATA_FOLDER_UNUSABLE', {
    path: dirname(path),
    reason: `line ${line} of ${basename(path)} is damaged; delete the line to go on without it, ${ADVICE}`,
  });

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** True where a write failed because there is no space. */
export const isDiskFull = (e: unknown): boolean => FULL.has((e as NodeJS.ErrnoException | undefined)?.code ?? '');

/** The error for a failed write to the data folder. */
export function writeFailure(path: string, e: unknown): VerenError {
  if (e instanceof VerenError) return e;
  if (isDiskFull(e)) return new VerenError('DISK_FULL', { path }, { cause: e });
  return new VerenError('DATA_FOLDER_UNUSABLE', { path, reason: (e as Error).message }, { cause: e });
}
