import { HEAD_BYTES } from './entryTree.ts';
import { isOutOfMemory, outOfMemory, outOfTime } from './gitErrors.ts';
import { collectOutput, type GitFolder, killGroup, startGit, waitForClose } from './runGit.ts';

export interface GitObject {
  readonly oid: string;
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly size: number;
  /** The whole content, or its first bytes where it is larger than was wanted. */
  readonly bytes: Buffer;
}

/** Reads objects by name with `git cat-file --batch-command`, one process for as many as possible. */
export interface ObjectReader {
  /**
   * One object after another, in the order of the names; null for one that is not in the repository. Of an object of more
   * than `maxBytes` a tree's first `maxBytes` are given, and only the head of anything else. No more is in memory than the
   * object that was given last. One caller at a time; it may stop early.
   */
  read(names: Iterable<string>, maxBytes: number): AsyncGenerator<GitObject | null, void>;
  close(): void;
}

/** git ended before it had answered; the message is git's. */
export class ReaderError extends Error {}

/** Names that are requested at a time, so that little waits in the pipes. */
const CHUNK = 256;

export function openObjectReader(folder: GitFolder, signal: AbortSignal): ObjectReader {
  let catFile: CatFile | undefined;
  const closeReader = () => {
    signal.removeEventListener('abort', closeReader);
    catFile?.kill();
    catFile = undefined;
  };
  const openOnce = (): CatFile => {
    signal.throwIfAborted();
    if (!catFile) {
      signal.addEventListener('abort', closeReader, { once: true });
      catFile = new CatFile(folder);
    }
    return catFile;
  };
  return {
    async *read(names, maxBytes) {
      const list = [...names];
      let done = false;
      try {
        for (let i = 0; i < list.length; i += CHUNK) {
          const part = list.slice(i, i + CHUNK);
          const from = openOnce();
          from.ask(part);
          for (const _name of part) yield await from.object(maxBytes);
        }
        done = true;
      } finally {
        // Answers that were not read are still in the pipe, so the next request gets a new process.
        if (!done) closeReader();
      }
    },
    close: closeReader,
  };
}

/** One process, and what it answers: `<oid> <type> <size>\n<content>\n`, or a line that says "missing". */
class CatFile {
  readonly #child;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #said: () => string;
  readonly #closed: Promise<unknown>;
  #rest: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  constructor(folder: GitFolder) {
    this.#child = startGit(folder, ['cat-file', '--batch-command', '--buffer']);
    this.#child.on('error', (error) => {
      this.#failure = error;
    });
    this.#closed = waitForClose(this.#child);
    this.#said = collectOutput(this.#child.stderr, () => this.kill());
    this.#chunks = this.#child.stdout[Symbol.asyncIterator]();
  }

  ask(names: readonly string[]): void {
    this.#child.stdin.write(`${names.map((name) => `contents ${name}\n`).join('')}flush\n`);
  }

  async object(maxBytes: number): Promise<GitObject | null> {
    const line = await this.#line();
    const head = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(line);
    if (!head) return null;
    const [type, size] = [head[2] as GitObject['type'], Number(head[3])];
    const keep = size <= maxBytes ? size : Math.min(size, type === 'tree' ? maxBytes : HEAD_BYTES);
    const bytes = Buffer.allocUnsafeSlow(keep);
    // One more byte than the content: the newline after it.
    for (let at = 0; at < size + 1; ) {
      if (this.#rest.length === 0) this.#rest = await this.#chunk();
      const part = this.#rest.subarray(0, size + 1 - at);
      if (at < keep) part.copy(bytes, at, 0, keep - at);
      at += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return { oid: head[1]!, type, size, bytes };
  }

  kill(): void {
    killGroup(this.#child);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      const chunk = await this.#chunk();
      this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    }
  }

  async #chunk(): Promise<Buffer> {
    const { value, done } = await this.#chunks.next();
    if (!done) return value as Buffer;
    if (this.#failure) throw this.#failure;
    await this.#closed;
    const said = this.#said();
    if (isOutOfMemory(said)) throw outOfMemory();
    if (this.#child.signalCode === 'SIGXCPU') throw outOfTime();
    throw new ReaderError(said);
  }
}
