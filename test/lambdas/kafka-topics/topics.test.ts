import { alignTopics, type TopicAdmin, TopicsSchema } from '../../../lambdas/kafka-topics/topics.ts';

const [wanted] = TopicsSchema.parse([
  { name: 'deployment-events', partitions: '3', replicationFactor: '2', config: { 'retention.ms': '1000' } },
]);
const topic = wanted as NonNullable<typeof wanted>;

/** A cluster with these topics; throws on what it was not told about. */
function cluster(topics: Record<string, { partitions: number; copies?: number; config: Record<string, string> }>) {
  const calls: string[] = [];
  const admin = {
    listTopics: async () => Object.keys(topics),
    async createTopics({
      topics: made,
    }: {
      topics: { topic: string; numPartitions: number; replicationFactor: number }[];
    }) {
      for (const t of made) calls.push(`create ${t.topic} ${t.numPartitions} ${t.replicationFactor}`);
      return true;
    },
    fetchTopicMetadata: async ({ topics: [name] }: { topics: string[] }) => ({
      topics: [
        {
          name,
          partitions: Array.from({ length: topics[name as string]?.partitions ?? 0 }, () => ({
            replicas: Array.from({ length: topics[name as string]?.copies ?? 2 }, (_, i) => i),
          })),
        },
      ],
    }),
    async createPartitions({ topicPartitions: [t] }: { topicPartitions: { topic: string; count: number }[] }) {
      calls.push(`grow ${t?.topic} ${t?.count}`);
      return true;
    },
    describeConfigs: async ({ resources: [r] }: { resources: { name: string }[] }) => ({
      resources: [
        {
          configEntries: Object.entries(topics[r?.name as string]?.config ?? {}).map(([configName, configValue]) => ({
            configName,
            configValue,
          })),
        },
      ],
    }),
    async alterConfigs({ resources: [r] }: { resources: { name: string; configEntries: object[] }[] }) {
      calls.push(`alter ${r?.name} ${JSON.stringify(r?.configEntries)}`);
    },
  };
  return { admin: admin as unknown as TopicAdmin, calls };
}

test('makes what is missing', async () => {
  const { admin, calls } = cluster({});
  expect(await alignTopics(admin, [topic])).toEqual(['made topic deployment-events']);
  expect(calls).toEqual(['create deployment-events 3 2']);
});

test('does nothing where all is as it should be', async () => {
  const { admin, calls } = cluster({ 'deployment-events': { partitions: 3, config: { 'retention.ms': '1000' } } });
  expect(await alignTopics(admin, [topic])).toEqual([]);
  expect(calls).toEqual([]);
});

test('grows partitions and changes settings, and never takes partitions away', async () => {
  const grown = cluster({ 'deployment-events': { partitions: 1, config: { 'retention.ms': '5' } } });
  await alignTopics(grown.admin, [topic]);
  expect(grown.calls).toEqual([
    'grow deployment-events 3',
    'alter deployment-events [{"name":"retention.ms","value":"1000"}]',
  ]);
  const larger = cluster({ 'deployment-events': { partitions: 9, config: { 'retention.ms': '1000' } } });
  await alignTopics(larger.admin, [topic]);
  expect(larger.calls).toEqual([]);
});

describe('how many copies must have a message', () => {
  const [three] = TopicsSchema.parse([
    { name: 't', partitions: '1', replicationFactor: '3', config: { 'min.insync.replicas': '2' } },
  ]);
  test('a topic made on two brokers needs one of its two copies, also after a third broker has come', async () => {
    const { admin, calls } = cluster({ t: { partitions: 1, copies: 2, config: { 'min.insync.replicas': '1' } } });
    expect(await alignTopics(admin, [three as NonNullable<typeof three>])).toEqual([]);
    expect(calls).toEqual([]);
  });
  test('a topic that an earlier version left unwritable is cured', async () => {
    const { admin, calls } = cluster({ t: { partitions: 1, copies: 2, config: { 'min.insync.replicas': '2' } } });
    await alignTopics(admin, [three as NonNullable<typeof three>]);
    expect(calls).toEqual(['alter t [{"name":"min.insync.replicas","value":"1"}]']);
  });
  test('a topic of three copies needs two', async () => {
    const { admin, calls } = cluster({ t: { partitions: 1, copies: 3, config: { 'min.insync.replicas': '1' } } });
    await alignTopics(admin, [three as NonNullable<typeof three>]);
    expect(calls).toEqual(['alter t [{"name":"min.insync.replicas","value":"2"}]']);
  });
});
