import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  encodeRecord,
  isDiskFull,
  type JournalFormat,
  keepTailAside,
  readJournal,
  unreadableFile,
} from '../adapters/memory/journalFile.ts';
import { syncDirectory } from '../awsProtocol/atomicFile.ts';

export interface ObjectJournal<R> {
  /** Resolves when the record is in the file (so it outlives `kill -9` of this process) and has been applied. */
  append(record: R): Promise<void>;
  close(): Promise<void>;
}

export interface ObjectJournalOptions<R> {
  readonly path: string;
  /** Called in file order: for every record found at opening, later for every appended one. Last one wins. */
  apply(record: R): void;
  /** Records that make up the present state. */
  snapshot(): Iterable<R>;
  /** How many records `snapshot` gives. */
  size(): number;
  /**
   * True where other files show that there was a journal: then a missing or empty one is an error and not a new one.
   */
  hasEvidence(): Promise<boolean>;
  /**
   * Called when the journal was repaired while it was opened: with one sentence, and whether acknowledged records may
   * be lost.
   */
  onRepair?(sentence: string, mayHaveLost: boolean): void;
}

const SLACK = 10_000;
const FORMAT: JournalFormat = {
  header: '{"journal":"veren-objects","version":2}',
  legacyHeader: null, // it began with its first record
  // Not any object: a damaged header is one too.
  isRecord: (value) => Array.isArray(value) || (typeof value === 'object' && value !== null && 'op' in value),
};

/**
 * An append-only file of records. Appends of one moment share one write. An unreadable end (the process died while
 * writing, or the power was cut) is moved to a file beside it. When most lines are superseded the file is rewritten.
 * @throws VerenError DATA_FOLDER_UNUSABLE for damage anywhere else
 */
export async function openJournal<R>(options: ObjectJournalOptions<R>): Promise<ObjectJournal<R>> {
  await rm(temporaryPath(options.path), { force: true });
  let { file, length, lines } = await loadJournal(options);

  type Waiting = { record: R; done: () => void; failed: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;
  let postponed = 0;
  const rewriteAt = (size: number) => Math.max(2 * size, postponed) + SLACK;

  async function flushWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (lines > rewriteAt(options.size())) {
          const next = await rewriteJournal(options).catch((error) => {
            if (!isDiskFull(error)) throw error;
          });
          // Without space for a second file the first is continued; rewriting is tried again when it has grown.
          if (!next) postponed = lines;
          else {
            postponed = 0;
            await file.close();
            ({ file, length, lines } = next);
          }
        }
        const text = Buffer.from(batch.map((w) => encodeRecord(w.record)).join(''));
        await file.appendFile(text);
        length += text.length;
        lines += batch.length;
      } catch (error) {
        // A part may have been written (disk full): it must not stay in front of what comes later.
        await file.truncate(length).catch(() => undefined);
        for (const w of batch) w.failed(error);
        continue;
      }
      for (const w of batch) {
        options.apply(w.record);
        w.done();
      }
    }
    running = undefined;
  }

  return {
    append: (record) =>
      new Promise((done, failed) => {
        if (closed) return failed(new Error('The journal is closed.'));
        waiting.push({ record, done, failed });
        // In a later step, so that appends of the same turn of the event loop share the write.
        running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(flushWaiting);
      }),
    async close() {
      closed = true;
      await running;
      await file.close();
    },
  };
}

const temporaryPath = (path: string) => `${path}.tmp`;

type Opened = { file: FileHandle; length: number; lines: number };

async function loadJournal<R>(options: ObjectJournalOptions<R>): Promise<Opened> {
  const { path, apply } = options;
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!content?.length) {
    const what = content
      ? 'is empty, and the objects that it named are still there'
      : 'is missing, and its objects are not';
    if (await options.hasEvidence()) throw unreadableFile(path, what);
    return rewriteJournal(options);
  }
  const { length, records, isCurrent, tail } = readJournal(path, content, FORMAT, (record) => apply(record as R));
  // A process that dies leaves a part of one line; more than that, or zeros, comes from a disk that lost data.
  if (tail.length > 0) options.onRepair?.(await keepTailAside(path, tail), tail.includes(10) || tail.includes(0));
  if (!isCurrent) {
    const next = await rewriteJournal(options).catch((error) => {
      if (!isDiskFull(error)) throw error;
    });
    if (next) return next;
  }
  const file = await open(path, 'a+', 0o600);
  await file.truncate(length);
  return { file, length, lines: records };
}

/** Writes the state to a new file and puts it in the old one's place. Here a loss would lose everything: hence fsync. */
async function rewriteJournal<R>(options: ObjectJournalOptions<R>): Promise<Opened> {
  const path = temporaryPath(options.path);
  const file = await open(path, 'ax+', 0o600);
  let length = 0;
  let lines = 0;
  try {
    let part: string[] = [`${FORMAT.header}\n`];
    const writeBatch = async () => {
      const text = Buffer.from(part.join(''));
      await file.appendFile(text);
      length += text.length;
      part = [];
    };
    for (const record of options.snapshot()) {
      part.push(encodeRecord(record));
      lines++;
      if (part.length === 2_000) await writeBatch();
    }
    await writeBatch();
    await file.sync();
    await rename(path, options.path);
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  await syncDirectory(dirname(options.path));
  return { file, length, lines };
}
