import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../../../contract/errors.ts';
import { lockFolder } from './lock.ts';
import { FILE, FIRST_LINE, parseJournal } from './replay.ts';
import { type Change, type Table, tables } from './tables.ts';

/** Bytes of changes after which the file is rewritten, where that is more than the last rewriting left. */
const COMPACT_AFTER = 8 * 1024 * 1024;
const WRITE_CHUNK = 1024 * 1024;

/**
 * Named tables of JSON values, kept on disk as one append-only file of changes. Changes made in one turn of the event
 * loop and ended by `commit` reach the disk together or not at all.
 */
export interface Journal {
  table<T>(name: string): Table<T>;
  /** Resolves when every change made until now is on disk (fsync); one sync serves all who wait meanwhile. */
  commit(): Promise<void>;
  /** Writes what is left and lets the folder go. */
  close(): Promise<void>;
}

/** Tables without a disk, for unit tests. */
export function volatileJournal(): Journal {
  const { table, drain } = tables();
  return { table, commit: async () => void drain(), close: async () => {} };
}

/**
 * Opens or creates the journal of a folder and locks the folder. A last line that a crash has torn was never
 * acknowledged and is dropped; damage anywhere else is an error, since accepted work may be behind it.
 * @throws VerenError DATA_FOLDER_UNUSABLE, DATA_FOLDER_LOCKED
 */
export async function openJournal(dir: string, options: { compactAfter?: number } = {}): Promise<Journal> {
  const unlock = await usable(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK | constants.X_OK);
    return lockFolder(dir);
  });
  try {
    return await usable(dir, () => FileJournal.open(dir, options.compactAfter ?? COMPACT_AFTER, unlock));
  } catch (e) {
    await unlock();
    throw e;
  }
}

async function usable<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof VerenError) throw e;
    throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dir, reason: (e as Error).message }, { cause: e });
  }
}

class FileJournal implements Journal {
  readonly #dir: string;
  readonly #tables: ReturnType<typeof tables>;
  readonly #compactAfter: number;
  readonly #unlock: () => Promise<void>;
  #file!: FileHandle;
  #lines: string[] = [];
  #writing: Promise<void> | null = null;
  #written = 0;
  #compacted = 0;
  #failure: VerenError | null = null;

  private constructor(dir: string, compactAfter: number, unlock: () => Promise<void>) {
    this.#dir = dir;
    this.#tables = tables();
    this.#compactAfter = compactAfter;
    this.#unlock = unlock;
  }

  static async open(dir: string, compactAfter: number, unlock: () => Promise<void>): Promise<FileJournal> {
    const journal = new FileJournal(dir, compactAfter, unlock);
    const content = await readFile(join(dir, FILE)).catch((e: NodeJS.ErrnoException) => {
      if (e.code === 'ENOENT') return null;
      throw e;
    });
    if (content) for (const changes of parseJournal(dir, content)) journal.#tables.load(changes);
    await journal.#compact();
    return journal;
  }

  table<T>(name: string): Table<T> {
    return this.#tables.table<T>(name);
  }

  commit(): Promise<void> {
    const changes = this.#tables.drain();
    if (changes.length > 0) this.#lines.push(JSON.stringify(changes));
    if (this.#failure) return Promise.reject(this.#failure);
    // What is being written now does not hold the new line, so whoever comes meanwhile waits for the next round.
    if (this.#writing) return this.#lines.length > 0 ? this.#writing.then(() => this.#flush()) : this.#writing;
    return this.#flush();
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      await this.#file.close();
      await this.#unlock();
    }
  }

  /** Starts a round of writing, or joins the one that was started for the same lines. */
  #flush(): Promise<void> {
    if (this.#writing) return this.#writing;
    if (this.#lines.length === 0) return Promise.resolve();
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    try {
      if (this.#written > Math.max(this.#compactAfter, this.#compacted)) {
        // The tables hold these lines already: writing the tables makes them durable too.
        this.#lines = [];
        await this.#compact();
        return;
      }
      const text = `${this.#lines.join('\n')}\n`;
      this.#lines = [];
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#written += Buffer.byteLength(text);
    } catch (e) {
      // The end of the file is unknown now, so nothing more may be appended: a restart reads what is whole.
      this.#failure = new VerenError(
        'DATA_FOLDER_UNUSABLE',
        { path: this.#dir, reason: (e as Error).message },
        { cause: e },
      );
      throw this.#failure;
    }
  }

  /** Writes the tables to a new file and puts it in place of the old one. The lines are made in one turn: one state. */
  async #compact(): Promise<void> {
    const path = join(this.#dir, FILE);
    const lines = [FIRST_LINE, ...snapshotLines(this.#tables.entries())];
    const next = await open(`${path}.new`, 'w', 0o600);
    let bytes = 0;
    for (let i = 0, chunk = ''; i < lines.length; i++) {
      chunk += `${lines[i]}\n`;
      if (chunk.length < WRITE_CHUNK && i < lines.length - 1) continue;
      await next.appendFile(chunk);
      bytes += Buffer.byteLength(chunk);
      chunk = '';
    }
    await next.sync();
    await rename(`${path}.new`, path);
    await syncFolder(this.#dir);
    await this.#file?.close();
    this.#file = next;
    this.#written = 0;
    this.#compacted = bytes;
  }
}

function* snapshotLines(entries: Iterable<Change>): Iterable<string> {
  for (const change of entries) yield JSON.stringify([change]);
}

/** A rename is durable once its folder is. Windows cannot open folders, and does not need it. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
