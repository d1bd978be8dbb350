import type { Kafka, Message, Producer, TopicMessages } from 'kafkajs';
import { VerenError } from '../../../../contract/errors.ts';
import { MAC_HEADER } from '../../../../contract/mac.ts';
import type { Topic } from '../../../../contract/names.ts';
import type { BusMessage, EventBus } from '../../ports.ts';

/** Kafka's `message.max.bytes` is 1,048,588 by default and holds for a partition's part of a request: stay below it. */
const MAX_REQUEST_BYTES = 1_000_000;
/** Record header, key length, offsets, MAC: more than any record needs beside key and value. */
const RECORD_OVERHEAD = 200;

export interface KafkaBus extends EventBus {
  /** Sends what is waiting and disconnects. */
  close(): Promise<void>;
}

/** One call of `publish`. */
interface Call {
  resolve(): void;
  reject(error: unknown): void;
  failed: boolean;
}

interface Waiting extends BusMessage {
  readonly call: Call;
  readonly topic: Topic;
  readonly bytes: number;
  /** The last message of its call: once it is sent, all are. */
  readonly last: boolean;
}

/**
 * Publishes with acknowledgement by all in-sync replicas, one request at a time, so that no retry changes the order of
 * a key; messages that are published meanwhile share the next request. Connects at the first message; where the client
 * is given as a function, that is called then. A message whose answer was lost comes twice, which every consumer takes:
 * the producer is not idempotent, since the broker of a new log gives out the ids of old producers again, takes the messages
 * of one for repeats of another's, and acknowledges without keeping them.
 */
export function kafkaBus(kafka: Kafka | (() => Promise<Kafka>)): KafkaBus {
  let producer: Promise<Producer> | null = null;
  let waiting: Waiting[] = [];
  let sending: Promise<void> | null = null;

  async function connectProducer(): Promise<Producer> {
    const client = typeof kafka === 'function' ? await kafka() : kafka;
    const made = client.producer({ maxInFlightRequests: 1, allowAutoTopicCreation: true });
    await made.connect();
    return made;
  }

  /** A producer that has failed may hold connections and addresses that are no more. */
  async function forgetProducer(): Promise<void> {
    const old = producer;
    producer = null;
    await old?.then((p) => p.disconnect()).catch(() => {});
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting.slice(0, roundLength(waiting));
      waiting = waiting.slice(round.length);
      try {
        producer ??= connectProducer();
        await (await producer).sendBatch({ topicMessages: byTopic(round), acks: -1 });
        for (const { call, last } of round) if (last) call.resolve();
      } catch (e) {
        for (const { call } of round) {
          call.failed = true;
          call.reject(publishFault(e));
        }
        waiting = waiting.filter((w) => !w.call.failed);
        await forgetProducer();
      }
    }
  }

  return {
    async publish(topic, messages) {
      const sized = messages.map((m) => ({ ...m, bytes: sizeOf(m.key, m.value) }));
      if (sized.length === 0) return;
      const sent = new Promise<void>((resolve, reject) => {
        const call: Call = { resolve, reject, failed: false };
        for (const [i, message] of sized.entries()) {
          waiting.push({ ...message, call, topic, last: i === sized.length - 1 });
        }
      });
      sending ??= sendAll().finally(() => {
        sending = null;
      });
      await sent;
    },
    async close() {
      await sending;
      await forgetProducer();
    },
  };
}

/** @throws VerenError MESSAGE_TOO_LARGE */
function sizeOf(key: string, value: string): number {
  const bytes = Buffer.byteLength(key) + Buffer.byteLength(value) + RECORD_OVERHEAD;
  if (bytes > MAX_REQUEST_BYTES) throw new VerenError('MESSAGE_TOO_LARGE', { bytes, limit: MAX_REQUEST_BYTES });
  return bytes;
}

/** How many of the first messages fit into one request. */
function roundLength(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const over = waiting.findIndex((w) => {
    bytes += w.bytes;
    return bytes > MAX_REQUEST_BYTES;
  });
  return over === -1 ? waiting.length : over;
}

function byTopic(round: readonly Waiting[]): TopicMessages[] {
  const topics = new Map<Topic, Message[]>();
  for (const { topic, key, value, mac } of round) {
    const messages = topics.get(topic) ?? [];
    messages.push({ key, value, ...(mac !== undefined && { headers: { [MAC_HEADER]: mac } }) });
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** By name: kafkajs's error classes cannot be imported by name into an ES module. */
const publishFault = (e: unknown) =>
  e instanceof Error && e.name.startsWith('KafkaJS')
    ? new VerenError('UNAVAILABLE', { reason: 'Kafka does not take messages' }, { cause: e })
    : e;
