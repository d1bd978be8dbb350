import type { Admin } from 'kafkajs';
import { z } from 'zod';

/** Properties of the deployment's custom resource; CloudFormation passes numbers as text. */
export const TopicsSchema = z
  .array(
    z.object({
      name: z.string().min(1),
      partitions: z.coerce.number().int().min(1),
      replicationFactor: z.coerce.number().int().min(1),
      config: z.record(z.string(), z.string()),
    }),
  )
  .min(1);
export type WantedTopic = z.infer<typeof TopicsSchema>[number];

/** The part of kafkajs's admin client that is used. */
export type TopicAdmin = Pick<
  Admin,
  'listTopics' | 'createTopics' | 'fetchTopicMetadata' | 'createPartitions' | 'describeConfigs' | 'alterConfigs'
>;

/** `TOPIC` in Kafka's own numbering of resources; kafkajs has it as a `const enum`. */
const TOPIC_RESOURCE = 2;

/**
 * Makes missing topics, and changes settings of existing ones and the number of partitions where more are wanted. It
 * never removes partitions and never changes the replication factor, which Kafka cannot do in place. Safe to repeat.
 * @returns what was done, one sentence each
 */
export async function alignTopics(admin: TopicAdmin, wanted: readonly WantedTopic[]): Promise<string[]> {
  const known = new Set(await admin.listTopics());
  const missing = wanted.filter(({ name }) => !known.has(name));
  const done: string[] = [];
  if (missing.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions, replicationFactor, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
    });
    done.push(...missing.map(({ name }) => `made topic ${name}`));
  }
  for (const topic of wanted) if (known.has(topic.name)) done.push(...(await alignTopic(admin, topic)));
  return done;
}

const MIN_IN_SYNC = 'min.insync.replicas';

/**
 * A topic keeps the number of copies that it was made with. One copy may always be missing for a write, since otherwise
 * no write would succeed while a broker is restarted.
 */
function writableConfig(
  config: Readonly<Record<string, string>>,
  partitions: readonly { readonly replicas: readonly number[] }[],
): Record<string, string> {
  const copies = Math.min(...partitions.map((p) => p.replicas.length));
  const most = Math.max(1, copies - 1);
  return !(MIN_IN_SYNC in config) || !Number.isFinite(copies) || Number(config[MIN_IN_SYNC]) <= most
    ? { ...config }
    : { ...config, [MIN_IN_SYNC]: String(most) };
}

async function alignTopic(admin: TopicAdmin, { name, partitions, config: wanted }: WantedTopic): Promise<string[]> {
  const done: string[] = [];
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const config = writableConfig(wanted, topics[0]?.partitions ?? []);
  const has = topics[0]?.partitions.length ?? 0;
  if (has < partitions) {
    await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] });
    done.push(`topic ${name} has ${partitions} partitions, ${has} before`);
  }
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC_RESOURCE, name, configNames: Object.keys(config) }],
  });
  const current = new Map(resources[0]?.configEntries.map((e) => [e.configName, e.configValue]));
  if (Object.entries(config).some(([key, value]) => current.get(key) !== value)) {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: TOPIC_RESOURCE,
          name,
          configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
        },
      ],
    });
    done.push(`topic ${name} has new settings`);
  }
  return done;
}
