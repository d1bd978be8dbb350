import { createHash } from 'node:crypto';
import type { Topic } from '../../../contract/names.ts';
import type { EventBus } from '../../../lambdas/shared/ports.ts';
import type { Journal } from './journal.ts';

export interface MemoryMessage {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
  readonly mac?: string;
}

export interface MemoryBus extends EventBus {
  /**
   * Feeds a topic's messages to the handler: in the order of their partition, one batch per partition at a time. A batch is
   * delivered again until the handler has resolved once, also after a restart. One handler per topic.
   */
  subscribe(topic: Topic, handler: (batch: readonly MemoryMessage[]) => Promise<void>): void;
  /** Resolves when all messages were delivered to the subscribers. */
  idle(): Promise<void>;
  /** Stops delivering and waits for the handlers that are running. */
  close(): Promise<void>;
}

const PARTITIONS = 4;
const MAX_BATCH = 200;
/** Characters of a batch, unless its first message alone is longer: limits the memory of a handler. */
const MAX_BATCH_LENGTH = 4_000_000;
const RETRY_MS = { first: 100, most: 10_000 };

type Handler = Parameters<MemoryBus['subscribe']>[1];

/** Messages live in the journal from `publish` until they are handled. */
export function memoryBus(journal: Journal, onError: (error: unknown) => void): MemoryBus {
  const kept = journal.table<MemoryMessage>('bus');
  const offsets = journal.table<number>('bus.offsets');
  const handlers = new Map<Topic, Handler>();
  const queues = new Map<string, MemoryMessage[]>();
  const running = new Map<string, Promise<void>>();
  const stop = new AbortController();

  const partitionId = (m: { topic: Topic; partition: number }) => `${m.topic}/${m.partition}`;
  const queueOf = (name: string) => queues.get(name) ?? queues.set(name, []).get(name)!;
  for (const message of kept.values()) queueOf(partitionId(message)).push(message);

  function startDelivery(name: string, topic: Topic): void {
    const handler = handlers.get(topic);
    if (!handler || running.has(name) || stop.signal.aborted || queueOf(name).length === 0) return;
    running.set(
      name,
      deliverQueue(queueOf(name), handler).finally(() => {
        running.delete(name);
        startDelivery(name, topic);
      }),
    );
  }

  async function deliverQueue(queue: MemoryMessage[], handler: Handler): Promise<void> {
    let failures = 0;
    while (queue.length > 0 && !stop.signal.aborted) {
      const batch = queue.slice(0, batchSize(queue));
      try {
        await handler(batch);
        failures = 0;
        for (const m of batch) kept.delete(`${partitionId(m)}/${m.offset}`);
        await journal.commit();
        queue.splice(0, batch.length);
      } catch (e) {
        onError(e);
        await pauseFor(Math.min(RETRY_MS.first * 2 ** failures++, RETRY_MS.most), stop.signal);
      }
    }
  }

  return {
    async publish(topic, messages) {
      const published: [queue: MemoryMessage[], message: MemoryMessage][] = [];
      const touched = new Set<string>();
      for (const { key, value, mac } of messages) {
        const partition = partitionOf(key);
        const name = partitionId({ topic, partition });
        const offset = offsets.get(name) ?? 0;
        const message: MemoryMessage = { topic, partition, offset, key, value, ...(mac !== undefined && { mac }) };
        offsets.set(name, offset + 1);
        kept.set(`${name}/${offset}`, message);
        published.push([queueOf(name), message]);
        touched.add(name);
      }
      // Only messages on disk are delivered; one that could not be written was never published.
      await journal.commit();
      for (const [queue, message] of published) insertMessage(queue, message);
      for (const name of touched) startDelivery(name, topic);
    },

    subscribe(topic, handler) {
      if (handlers.has(topic)) throw new Error(`There is a handler for ${topic} already.`);
      handlers.set(topic, handler);
      for (let partition = 0; partition < PARTITIONS; partition++)
        startDelivery(partitionId({ topic, partition }), topic);
    },

    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },

    async close() {
      stop.abort();
      await Promise.all(running.values());
    },
  };
}

/** Keeps the order of the offsets, independent of the order in which two commits end. */
function insertMessage(queue: MemoryMessage[], message: MemoryMessage): void {
  let at = queue.length;
  while (at > 0 && queue[at - 1]!.offset > message.offset) at--;
  queue.splice(at, 0, message);
}

function batchSize(queue: readonly MemoryMessage[]): number {
  const most = Math.min(queue.length, MAX_BATCH);
  let length = 0;
  for (let i = 0; i < most; i++) {
    length += queue[i]!.value.length;
    if (length > MAX_BATCH_LENGTH) return Math.max(i, 1);
  }
  return most;
}

const partitionOf = (key: string) => createHash('sha256').update(key).digest().readUInt32BE() % PARTITIONS;

function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(finishPause, ms);
    function finishPause() {
      clearTimeout(timer);
      signal.removeEventListener('abort', finishPause);
      resolve();
    }
    signal.addEventListener('abort', finishPause);
  });
}
