import type { Readable } from 'node:stream';
import { HEAD_BYTES } from './entryTree.ts';
import { type GitFolder, killGroup, startGit } from './runGit.ts';

export interface GitObject {
  readonly oid: string;
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly size: number;
  /** The whole content, or its first bytes where it is larger than was wanted. */
  readonly bytes: Buffer;
}

/** One `git cat-file --batch` for a whole analysis: objects are asked for by name and come back in the same order. */
export interface ObjectReader {
  /** Null for an object that is not in the repository. */
  read(name: string, maxBytes: number): Promise<GitObject | null>;
  close(): void;
}

export function openObjectReader(folder: GitFolder, signal: AbortSignal): ObjectReader {
  const child = startGit(folder, ['cat-file', '--batch']);
  const stop = () => killGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  child.stderr.resume();
  const input = new Lines(child.stdout);
  child.on('error', (error) => input.fail(error));
  // Answers come in the order of the questions, so each waits for the one before.
  let last: Promise<unknown> = Promise.resolve();
  return {
    read(name, maxBytes) {
      child.stdin.write(`${name}\n`);
      const answer = last.then(() => readAnswer(input, maxBytes));
      last = answer.catch(() => {});
      return answer;
    },
    close() {
      signal.removeEventListener('abort', stop);
      child.stdin.end();
      stop();
    },
  };
}

async function readAnswer(input: Lines, maxBytes: number): Promise<GitObject | null> {
  const line = await input.line();
  const head = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(line);
  if (!head) return null;
  const size = Number(head[3]);
  const bytes = await input.bytes(size > maxBytes ? Math.min(size, HEAD_BYTES) : size);
  await input.skip(size - bytes.length + 1);
  return { oid: head[1]!, type: head[2] as GitObject['type'], size, bytes };
}

/** Reads lines and counted bytes from a stream. */
class Lines {
  #chunks: Buffer[] = [];
  #length = 0;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #stream: Readable;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      if (this.#length > 1 << 20) stream.pause();
      this.#wake?.();
    });
    stream.on('close', () => this.fail(new Error('git cat-file ended early')));
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#chunks[0]?.indexOf(10) ?? -1;
      if (end >= 0) return this.#take(end + 1).toString('utf8', 0, end);
      if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
      else await this.#more();
    }
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more();
    return this.#take(count);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      if (this.#length === 0) await this.#more();
      left -= this.#take(Math.min(left, this.#length)).length;
    }
  }

  #take(count: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = count; left > 0; ) {
      const first = this.#chunks[0]!;
      const part = first.subarray(0, left);
      parts.push(part);
      left -= part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#length -= count;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async #more(): Promise<void> {
    if (this.#error) throw this.#error;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stream.resume();
    });
    this.#wake = undefined;
  }
}
