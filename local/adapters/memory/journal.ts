import { constants, fdatasyncSync, ftruncateSync, readFileSync } from 'node:fs';
import { access, type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerenError } from '../../../contract/errors.ts';
import { syncDirectory } from '../../awsProtocol/atomicFile.ts';
import { encodeRecord, isDiskFull, keepTailAside, readJournal, writeFailure } from './journalFile.ts';
import { lockFolder } from './lock.ts';
import { FILE, FORMAT } from './replay.ts';
import { type Change, createTables, type Table } from './tables.ts';

/** Bytes of changes after which the file is rewritten, at least as many as the last rewriting left. */
const COMPACT_AFTER = 8 * 1024 * 1024;
const WRITE_CHUNK = 1024 * 1024;

/**
 * Named tables of JSON values, kept on disk as one append-only file of changes. Changes made in one turn of the event
 * loop and ended by `commit` reach the disk together or not at all.
 */
export interface Journal {
  table<T>(name: string): Table<T>;
  /**
   * Resolves when every change until now is on disk (fsync); one sync serves all callers that wait meanwhile. If
   * writing fails, every change that is not on disk yet is undone, and all calls that wait for one reject; later
   * changes are tried again.
   * @throws VerenError DISK_FULL, DATA_FOLDER_UNUSABLE
   */
  commit(): Promise<void>;
  /** Tries to write, and returns the error that prevents it; null where writing works. */
  probe(): Promise<VerenError | null>;
  /** Writes remaining changes and unlocks the folder. */
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly compactAfter?: number;
  /** Called with one sentence when the journal was repaired while it was opened. */
  readonly onRepair?: (sentence: string) => void;
}

/** Tables without a disk, for unit tests. */
export function volatileJournal(): Journal {
  const { table, drain } = createTables();
  return { table, commit: async () => void drain(), probe: async () => null, close: async () => {} };
}

/**
 * Opens or creates the journal of a folder and locks the folder. An unreadable end, as a crash leaves it, is moved to a
 * file beside the journal; an empty journal and damage anywhere else are errors, since accepted work may have been lost
 * by them.
 * @throws VerenError DATA_FOLDER_UNUSABLE, DATA_FOLDER_LOCKED, DISK_FULL
 */
export async function openJournal(dir: string, options: JournalOptions = {}): Promise<Journal> {
  const unlock = await reportUnusable(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK | constants.X_OK);
    return lockFolder(dir);
  });
  try {
    return await reportUnusable(dir, () => FileJournal.open(dir, options, unlock));
  } catch (e) {
    await unlock();
    throw e;
  }
}

async function reportUnusable<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    throw writeFailure(dir, e);
  }
}

class FileJournal implements Journal {
  readonly #dir: string;
  readonly #tables: ReturnType<typeof createTables>;
  readonly #compactAfter: number;
  readonly #unlock: () => Promise<void>;
  #file!: FileHandle;
  /** Bytes of the file that are surely on disk; later ones do not count. */
  #length = 0;
  /** True where the file may have bytes beyond `#length`. */
  #torn = false;
  #lines: string[] = [];
  /** The current round of writing, and the next one, which waits for it and collects later changes. */
  #current: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #compacted = 0;
  #failure: VerenError | null = null;
  #isLost = false;

  private constructor(dir: string, compactAfter: number, unlock: () => Promise<void>) {
    this.#dir = dir;
    this.#tables = createTables();
    this.#compactAfter = compactAfter;
    this.#unlock = unlock;
  }

  static async open(dir: string, options: JournalOptions, unlock: () => Promise<void>): Promise<FileJournal> {
    const journal = new FileJournal(dir, options.compactAfter ?? COMPACT_AFTER, unlock);
    const content = await readFile(journal.#path).catch((e: NodeJS.ErrnoException) => {
      if (e.code === 'ENOENT') return null;
      throw e;
    });
    if (content) {
      const { length, tail } = journal.#load(content);
      if (tail.length > 0) options.onRepair?.(await keepTailAside(journal.#path, tail));
      journal.#length = length;
    }
    try {
      await journal.#compact();
    } catch (e) {
      if (!content || !isDiskFull(e)) throw e;
      // The journal can be read, and appended to once there is space.
      journal.#file = await open(journal.#path, 'r+', 0o600);
      journal.#torn = true;
      journal.#failure = writeFailure(dir, e);
    }
    return journal;
  }

  get #path(): string {
    return join(this.#dir, FILE);
  }

  #load(content: Buffer) {
    return readJournal(this.#path, content, FORMAT, (changes) => this.#tables.load(changes as Change[]));
  }

  table<T>(name: string): Table<T> {
    return this.#tables.table<T>(name);
  }

  commit(): Promise<void> {
    if (this.#isLost && this.#failure) return Promise.reject(this.#failure);
    const changes = this.#tables.drain();
    if (changes.length > 0) this.#lines.push(encodeRecord(changes));
    if (this.#lines.length === 0) return this.#current ?? Promise.resolve();
    this.#next ??= this.#writeAfter(this.#current);
    return this.#next;
  }

  async probe(): Promise<VerenError | null> {
    if (!this.#failure) return null;
    this.#lines.push(encodeRecord([]));
    await this.commit().catch(() => undefined);
    return this.#failure;
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      await this.#file.close();
      await this.#unlock();
    }
  }

  /** A failure of the round before fails this one too, since its lines were undone with it. */
  async #writeAfter(before: Promise<void> | null): Promise<void> {
    await (before ?? Promise.resolve());
    this.#next = null;
    const round = this.#write();
    this.#current = round;
    try {
      await round;
    } finally {
      if (this.#current === round) this.#current = null;
    }
  }

  async #write(): Promise<void> {
    const text = this.#lines.join('');
    this.#lines = [];
    try {
      // The tables hold these lines already: writing the tables makes them durable too.
      if (!this.#isLong() || !(await this.#compactIfSpace())) await this.#append(text);
      this.#failure = null;
    } catch (e) {
      this.#failure = writeFailure(this.#dir, e);
      this.#takeBack();
      throw this.#failure;
    }
  }

  #isLong(): boolean {
    return this.#length - this.#compacted > Math.max(this.#compactAfter, this.#compacted);
  }

  /**
   * False where there is no space for a second file: the first is continued, and rewriting is tried again when it has
   * grown.
   */
  async #compactIfSpace(): Promise<boolean> {
    try {
      await this.#compact();
      return true;
    } catch (e) {
      if (!isDiskFull(e)) throw e;
      this.#compacted = this.#length;
      return false;
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#torn) await this.#file.truncate(this.#length);
    this.#torn = true;
    const data = Buffer.from(text);
    // At an explicit position, since the file's own one is not known after a failed write.
    for (let done = 0; done < data.length; )
      done += (await this.#file.write(data, done, data.length - done, this.#length + done)).bytesWritten;
    await this.#file.datasync();
    this.#torn = false;
    this.#length += data.length;
  }

  /**
   * Resets the tables to the content of the disk. In one turn of the event loop, so that nothing changes them
   * meanwhile; callers that wait to write get the error of the failed round, and later ones start a new round.
   */
  #takeBack(): void {
    this.#lines = [];
    this.#next = null;
    this.#current = null;
    try {
      // At once, so that a restart does not find refused changes; if it fails, it is done before the next write.
      ftruncateSync(this.#file.fd, this.#length);
      fdatasyncSync(this.#file.fd);
      this.#torn = false;
    } catch {}
    try {
      const content = readFileSync(this.#path).subarray(0, this.#length);
      this.#tables.clear();
      this.#load(content);
    } catch {
      // Memory and disk differ from here on; only a restart repairs that.
      this.#isLost = true;
    }
  }

  /** Writes the tables to a new file and puts it in place of the old one. The lines are made in one turn: one state. */
  async #compact(): Promise<void> {
    const path = `${this.#path}.new`;
    const lines = [`${FORMAT.header}\n`, ...snapshotLines(this.#tables.entries())];
    const next = await open(path, 'w', 0o600);
    let bytes = 0;
    try {
      for (let i = 0, chunk = ''; i < lines.length; i++) {
        chunk += lines[i];
        if (chunk.length < WRITE_CHUNK && i < lines.length - 1) continue;
        await next.appendFile(chunk);
        bytes += Buffer.byteLength(chunk);
        chunk = '';
      }
      await next.sync();
      await rename(path, this.#path);
    } catch (e) {
      await next.close();
      await rm(path, { force: true });
      throw e;
    }
    await syncDirectory(this.#dir);
    await this.#file?.close();
    this.#file = next;
    this.#torn = false;
    this.#length = bytes;
    this.#compacted = bytes;
  }
}

function* snapshotLines(entries: Iterable<Change>): Iterable<string> {
  for (const change of entries) yield encodeRecord([change]);
}
