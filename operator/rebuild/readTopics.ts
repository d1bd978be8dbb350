import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { MAC_HEADER } from '../../contract/mac.ts';
import type { Topic } from '../../contract/names.ts';

/** A message as the broker stores it. */
export interface KeptMessage {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  /** Empty where there is none. */
  readonly mac: string;
}

export interface TopicReader {
  /** Resolves when all messages have been read that are on the topics at the time of the call. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MS = 50;

/** False for a topic that a new log has not been given yet. One that may not be read is a fault, and not missing. */
async function isThere(admin: Admin, topic: Topic): Promise<boolean> {
  if ((await admin.listTopics()).includes(topic)) return true;
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return true;
  } catch (e) {
    if ((e as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    throw e;
  }
}

/**
 * Reads topics from their beginning, each partition in its order. It stores no position: every reader is a consumer
 * group of its own (`veren-rebuild-…`) and commits nothing. An exception of `onMessage` ends the reading: `caughtUp`
 * rejects.
 */
export async function readTopics(
  kafka: Kafka,
  wanted: readonly Topic[],
  onMessage: (message: KeptMessage) => void,
): Promise<TopicReader> {
  const consumer = kafka.consumer({ groupId: `veren-rebuild-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const admin = kafka.admin();
  /** The next offset of each partition. */
  const positions = new Map<string, bigint>();
  let failure: unknown;
  const closeClients = async () => {
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) failure = payload.error;
  });
  let topics: readonly Topic[] = [];
  try {
    await Promise.all([consumer.connect(), admin.connect()]);
    const there = await Promise.all(wanted.map((topic) => isThere(admin, topic)));
    topics = wanted.filter((_, i) => there[i]);
    if (topics.length > 0) {
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, heartbeat }) => {
          const { topic, partition, messages } = batch;
          for (const { key, value, headers } of messages)
            onMessage({
              topic,
              partition,
              key: key?.toString() ?? '',
              value: value ?? Buffer.alloc(0),
              mac: headers?.[MAC_HEADER]?.toString() ?? '',
            });
          positions.set(`${topic}-${partition}`, BigInt(batch.lastOffset()) + 1n);
          await heartbeat();
        },
      });
    }
  } catch (e) {
    await closeClients().catch(() => {});
    throw e;
  }
  async function readEnds(): Promise<[string, bigint][]> {
    const all = await Promise.all(
      topics.map(async (topic) =>
        (await admin.fetchTopicOffsets(topic))
          .filter(({ low, high }) => low !== high)
          .map(({ partition, high }): [string, bigint] => [`${topic}-${partition}`, BigInt(high)]),
      ),
    );
    return all.flat();
  }
  return {
    async caughtUp() {
      const wanted = await readEnds();
      while (wanted.some(([partition, end]) => (positions.get(partition) ?? 0n) < end)) {
        if (failure) throw failure;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    close: closeClients,
  };
}
