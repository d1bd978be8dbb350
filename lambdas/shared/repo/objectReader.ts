import { HEAD_BYTES } from './entryTree.ts';
import { type GitFolder, killGroup, startGit } from './runGit.ts';

export interface GitObject {
  readonly oid: string;
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly size: number;
  /** The whole content, or its first bytes where it is larger than was wanted. */
  readonly bytes: Buffer;
}

/** One `git cat-file --batch-command` for a whole analysis: objects are asked for by name, many at a time. */
export interface ObjectReader {
  /** In the order of the names; null for an object that is not in the repository. Contents over `maxBytes` are cut. */
  read(names: readonly string[], maxBytes: number): Promise<readonly (GitObject | null)[]>;
  close(): void;
}

interface Batch {
  readonly count: number;
  readonly maxBytes: number;
  readonly objects: (GitObject | null)[];
  resolve(objects: readonly (GitObject | null)[]): void;
  reject(error: Error): void;
}

/** Names asked for at a time: what waits in the pipes stays small. */
const CHUNK = 256;

export function openObjectReader(folder: GitFolder, signal: AbortSignal): ObjectReader {
  const child = startGit(folder, ['cat-file', '--batch-command', '--buffer']);
  const stop = () => killGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  const waiting: Batch[] = [];
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    for (const batch of waiting.splice(0)) batch.reject(failure);
  };
  const parser = new AnswerParser((object) => {
    const batch = waiting[0]!;
    batch.objects.push(object);
    if (batch.objects.length < batch.count) return;
    waiting.shift();
    batch.resolve(batch.objects);
  });
  child.stdout.on('data', (chunk: Buffer) => parser.push(chunk, () => waiting[0]?.maxBytes ?? 0));
  child.stderr.resume();
  child.on('error', fail);
  child.on('close', () => fail(new Error('git cat-file ended early')));

  const ask = (names: readonly string[], maxBytes: number): Promise<readonly (GitObject | null)[]> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      if (names.length === 0) return resolve([]);
      waiting.push({ count: names.length, maxBytes, objects: [], resolve, reject });
      child.stdin.write(`${names.map((name) => `contents ${name}\n`).join('')}flush\n`);
    });
  return {
    async read(names, maxBytes) {
      const objects: (GitObject | null)[] = [];
      for (let i = 0; i < names.length; i += CHUNK) objects.push(...(await ask(names.slice(i, i + CHUNK), maxBytes)));
      return objects;
    },
    close() {
      signal.removeEventListener('abort', stop);
      stop();
    },
  };
}

interface Reading extends Omit<GitObject, 'bytes'> {
  readonly kept: Buffer[];
  /** Bytes that are still to be kept, and that are still to come. */
  keep: number;
  left: number;
}

/** Cuts the stream of answers (`<oid> <type> <size>\n<content>\n`, or a line that says "missing") into objects. */
class AnswerParser {
  readonly #emit: (object: GitObject | null) => void;
  #rest: Buffer = Buffer.alloc(0);
  /** The object whose content is being read. */
  #current: Reading | undefined;

  constructor(emit: (object: GitObject | null) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer, maxBytes: () => number): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (data.length > 0) {
      if (this.#current) {
        data = this.#content(data, this.#current);
        continue;
      }
      const end = data.indexOf(10);
      if (end < 0) break;
      this.#head(data.toString('latin1', 0, end), maxBytes());
      data = data.subarray(end + 1);
    }
    this.#rest = data;
  }

  #head(line: string, maxBytes: number): void {
    const head = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(line);
    if (!head) {
      this.#emit(null);
      return;
    }
    const size = Number(head[3]);
    const keep = size > maxBytes ? Math.min(size, HEAD_BYTES) : size;
    // One more byte than the content: the newline after it.
    this.#current = { oid: head[1]!, type: head[2] as GitObject['type'], size, keep, kept: [], left: size + 1 };
  }

  #content(data: Buffer, current: Reading): Buffer {
    const part = data.subarray(0, current.left);
    if (current.keep > 0) {
      // Copied: a kept slice would hold the whole chunk of the pipe in memory.
      const wanted = Buffer.from(part.subarray(0, current.keep));
      current.kept.push(wanted);
      current.keep -= wanted.length;
    }
    current.left -= part.length;
    if (current.left === 0) {
      this.#current = undefined;
      this.#emit({ oid: current.oid, type: current.type, size: current.size, bytes: Buffer.concat(current.kept) });
    }
    return data.subarray(part.length);
  }
}
