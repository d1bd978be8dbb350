import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VerenError } from '../../contract/errors.ts';
import { syncDirectory } from '../awsProtocol/atomicFile.ts';

export interface Journal<R> {
  /** Resolves when the record is in the file (so it outlives `kill -9` of this process) and has been applied. */
  append(record: R): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions<R> {
  readonly path: string;
  /** Called in file order: for every record found at opening, later for every appended one. Last one wins. */
  apply(record: R): void;
  /** Records that make up the present state. */
  snapshot(): Iterable<R>;
  /** How many records `snapshot` gives. */
  size(): number;
}

const SLACK = 10_000;

/**
 * An append-only file of JSON lines. Appends of one moment share one write. A torn last line (the process died while
 * writing) was never acknowledged and is cut off. When most lines are dead the file is written anew from the state.
 */
export async function openJournal<R>(options: JournalOptions<R>): Promise<Journal<R>> {
  await rm(temporary(options.path), { force: true });
  let file = await open(options.path, 'a+', 0o600);
  let { length, lines } = await load(options).catch(async (error) => {
    await file.close();
    throw error;
  });
  await file.truncate(length);

  type Waiting = { record: R; done: () => void; failed: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (lines > 2 * options.size() + SLACK) {
          const next = await rewrite(options);
          await file.close();
          ({ file, length, lines } = next);
        }
        const text = Buffer.from(batch.map((w) => `${JSON.stringify(w.record)}\n`).join(''));
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
        // Not at once: whoever appends in the same turn of the event loop joins the same write.
        running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(flush);
      }),
    async close() {
      closed = true;
      await running;
      await file.close();
    },
  };
}

const temporary = (path: string) => `${path}.tmp`;

async function load<R>({ path, apply }: JournalOptions<R>): Promise<{ length: number; lines: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let length = 0;
  let lines = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      let record: R;
      try {
        record = JSON.parse(data.toString('utf8', start, end)) as R;
      } catch (cause) {
        const reason = `line ${lines + 1} of ${path} is damaged`;
        throw new VerenError('DATA_FOLDER_UNUSABLE', { path: dirname(path), reason }, { cause });
      }
      apply(record);
      lines++;
      length += end + 1 - start;
      start = end + 1;
    }
    rest = data.subarray(start);
  }
  return { length, lines };
}

/** Writes the state to a new file and puts it in the old one's place. Here a loss would lose everything: hence fsync. */
async function rewrite<R>(options: JournalOptions<R>): Promise<{ file: FileHandle; length: number; lines: number }> {
  const path = temporary(options.path);
  const file = await open(path, 'w+', 0o600);
  let length = 0;
  let lines = 0;
  try {
    let part: string[] = [];
    const write = async () => {
      const text = Buffer.from(part.join(''));
      await file.appendFile(text);
      length += text.length;
      part = [];
    };
    for (const record of options.snapshot()) {
      part.push(`${JSON.stringify(record)}\n`);
      lines++;
      if (part.length === 2_000) await write();
    }
    await write();
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
