import { type Kafka, KafkaJSError, type Message, type Producer } from 'kafkajs';
import { VerenError } from '../../../../contract/errors.ts';
import type { EventBus } from '../../ports.ts';

/** Kafka's `message.max.bytes` is 1,048,588 by default and holds for a batch: stay below it with every batch. */
const MAX_BATCH_BYTES = 1_000_000;
/** Record header, key length, offsets: more than any record needs beside key and value. */
const RECORD_OVERHEAD = 100;

export interface KafkaBus extends EventBus {
  close(): Promise<void>;
}

/**
 * Publishes with acknowledgement by all in-sync replicas. The producer is idempotent and has one request in flight, so a
 * retry neither repeats a message nor changes the order of a key. It connects at the first message.
 */
export function kafkaBus(kafka: Kafka): KafkaBus {
  let producer: Promise<Producer> | null = null;
  /** Publishing goes one after the other: kafkajs would send concurrent calls in any order. */
  let last: Promise<unknown> = Promise.resolve();

  async function connect(): Promise<Producer> {
    const made = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: true });
    await made.connect();
    return made;
  }

  /** A producer that has failed may have lost its place in the sequence: the next one starts its own. */
  async function forget(): Promise<void> {
    const old = producer;
    producer = null;
    await old?.then((p) => p.disconnect()).catch(() => {});
  }

  async function send(topic: string, batches: readonly Message[][]): Promise<void> {
    for (const messages of batches) {
      try {
        producer ??= connect();
        await (await producer).send({ topic, messages, acks: -1 });
      } catch (e) {
        await forget();
        throw e instanceof KafkaJSError
          ? new VerenError('UNAVAILABLE', { reason: 'Kafka does not take messages' }, { cause: e })
          : e;
      }
    }
  }

  return {
    publish(topic, messages) {
      const sent = last.then(() => send(topic, batchesOf(messages)));
      last = sent.catch(() => {});
      return sent;
    },
    async close() {
      await last;
      await forget();
    },
  };
}

/** @throws VerenError MESSAGE_TOO_LARGE for a message that no batch can hold */
export function batchesOf(messages: readonly { readonly key: string; readonly value: string }[]): Message[][] {
  const batches: Message[][] = [];
  let room = 0;
  for (const { key, value } of messages) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value) + RECORD_OVERHEAD;
    if (bytes > MAX_BATCH_BYTES) throw new VerenError('MESSAGE_TOO_LARGE', { bytes, limit: MAX_BATCH_BYTES });
    if (bytes > room) {
      batches.push([]);
      room = MAX_BATCH_BYTES;
    }
    batches.at(-1)?.push({ key, value });
    room -= bytes;
  }
  return batches;
}
