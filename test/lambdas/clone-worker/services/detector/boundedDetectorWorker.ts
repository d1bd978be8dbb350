import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { VerenError } from '../../../../../contract/errors.ts';
import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { type MemoryEntry, memoryFs } from '../../../../support/memoryFs.ts';

/** The other side of boundedDetector.ts: one tree in, one plan or one message of the error table out. */
export interface Asked {
  readonly entries: Readonly<Record<string, MemoryEntry>>;
  readonly request: object;
}

export interface Answered {
  /** Of the processor and for this thread alone: neither other work on the machine counts nor what the collector does beside it. */
  readonly ms: number;
  /** Bytes that buffers hold outside of the heap. */
  readonly external: number;
  readonly plan?: object;
  /** The message of an error of the table; `crash` is any other. */
  readonly refused?: string;
  readonly crash?: string;
}

/** Milliseconds that this thread has had a processor; where that is not told (macOS), those of the clock. */
function threadTime(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Buffers arrive as plain byte arrays. */
const received = (entry: MemoryEntry) => (entry instanceof Uint8Array ? Buffer.from(entry) : entry);

parentPort!.on('message', async ({ entries, request }: Asked) => {
  const tree = Object.fromEntries(Object.entries(entries).map(([path, entry]) => [path, received(entry)]));
  const started = threadTime();
  const outcome = await detectProjectType(memoryFs(tree), {
    today: '2026-11-23',
    maxFileBytes: 1024 * 1024,
    ...request,
  }).then(
    (plan) => ({ plan }),
    (error) => (error instanceof VerenError ? { refused: error.message } : { crash: String(error?.stack ?? error) }),
  );
  const ms = threadTime() - started;
  parentPort!.postMessage({ ms, external: process.memoryUsage().external, ...outcome } satisfies Answered);
});
