import type { Kafka } from 'kafkajs';
import { TOPICS } from '../../../contract/names.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * Makes missing topics. The settings of existing ones are not changed, since an operator may have set them.
 * `retentionMs` is how far back the state can be rebuilt from Kafka alone.
 */
export async function ensureTopics(
  kafka: Kafka,
  options: { partitions: number; replicas: number; retentionMs?: number },
): Promise<void> {
  const { partitions, replicas, retentionMs = 14 * DAY_MS } = options;
  const admin = kafka.admin();
  await admin.connect();
  try {
    const known = new Set(await admin.listTopics());
    await admin.createTopics({
      topics: Object.values(TOPICS)
        .filter((topic) => !known.has(topic))
        .map((topic) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: [
            { name: 'retention.ms', value: String(retentionMs) },
            { name: 'min.insync.replicas', value: String(Math.max(1, replicas - 1)) },
          ],
        })),
    });
  } finally {
    await admin.disconnect();
  }
}
