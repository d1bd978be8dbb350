import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * Runs in the thread. Reads the file behind a descriptor, which the threads of a process share: so it is the very file that
 * was checked. A string, since a file of its own would be one more to bundle and to find.
 */
const CODE = `
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const buffer = Buffer.allocUnsafe(1 << 17);
parentPort.on('message', ({ id, fd }) => {
  try {
    const hash = createHash('sha256');
    for (let at = 0, read; (read = readSync(fd, buffer, 0, buffer.length, at)) > 0; at += read) hash.update(buffer.subarray(0, read));
    parentPort.postMessage({ id, sha256: hash.digest('hex') });
  } catch (error) {
    parentPort.postMessage({ id, error });
  }
});
`;

interface Answer {
  readonly id: number;
  readonly sha256?: string;
  readonly error?: unknown;
}
interface Waiting {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: unknown) => void;
}

/** More than four would only wait for the disk. */
const MOST = Math.min(availableParallelism(), 4);

/** SHA-256 of large files beside everything else: hashing a site's videos would hold up its 5,000 pages. */
export class HashThreads {
  readonly #threads: HashThread[] = [];

  /** Hex. The descriptor must stay open until then; its position does not matter. */
  sha256(fd: number): Promise<string> {
    let next = this.#threads.reduce<HashThread | undefined>((a, b) => (a && a.waiting <= b.waiting ? a : b), undefined);
    if (next === undefined || (next.waiting > 0 && this.#threads.length < MOST)) {
      next = new HashThread();
      this.#threads.push(next);
    }
    return next.sha256(fd);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

class HashThread {
  readonly #worker = new Worker(CODE, { eval: true });
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();
  #dead: Error | undefined;

  constructor() {
    this.#worker.on('message', ({ id, sha256, error }: Answer) => {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (sha256 === undefined) reject(error);
      else resolve(sha256);
    });
    this.#worker.on('error', (error) => {
      this.#dead = error;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  sha256(fd: number): Promise<string> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, fd });
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
