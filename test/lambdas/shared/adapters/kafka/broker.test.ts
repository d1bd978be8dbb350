import type { MSKRecord } from 'aws-lambda';
import { Kafka } from 'kafkajs';
import type { KafkaEnv } from '../../../../../contract/kafka-env.ts';
import { kafkaBus } from '../../../../../lambdas/shared/adapters/kafka/bus.ts';
import { kafkaConfig } from '../../../../../lambdas/shared/adapters/kafka/config.ts';
import { type ConsumeOptions, consumeAsLambda } from '../../../../../local/adapters/kafka/consumeAsLambda.ts';
import { ensureTopics } from '../../../../../local/adapters/kafka/topics.ts';
import { describeWith } from '../../../../support/engines.ts';
import { group, type OwnKafka, ownKafka, ownKafkaMissing } from '../../../../support/kafka.ts';

const TOPIC = 'deployment-events';

describeWith(ownKafkaMissing, 'a real broker', () => {
  jest.setTimeout(120_000);
  let broker: OwnKafka;
  let kafka: Kafka;
  let run = 0;
  const leave: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    broker = await ownKafka();
    const env = { KAFKA_BROKERS: broker.brokers, KAFKA_SECURITY: 'plaintext' } as const;
    kafka = new Kafka(kafkaConfig(env, { clientId: 'test', region: 'local' }));
    await ensureTopics(kafka, { partitions: 4, replicas: 1 });
  }, 120_000);
  beforeEach(() => void run++);
  afterEach(async () => {
    await Promise.all(leave.splice(0).map((l) => l()));
  });
  afterAll(() => broker.stop());

  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
  const consume = async (groupId: string, handler: (records: MSKRecord[]) => ReturnType<ConsumeOptions['handler']>) => {
    const stop = await consumeAsLambda({
      kafka,
      groupId,
      topics: [TOPIC],
      onError: () => {},
      handler: (event) => handler(Object.values(event.records).flat()),
    });
    leave.push(stop);
    return stop;
  };
  const own = (records: MSKRecord[]) =>
    records.filter((r) => text(r.key).startsWith(`${run}-`)).map((r) => text(r.value));
  const messages = (key: string, values: number[]) => values.map((v) => ({ key: `${run}-${key}`, value: String(v) }));
  async function until(what: () => boolean) {
    const end = Date.now() + 40_000;
    while (!what()) {
      if (Date.now() > end) throw new Error('It did not come to pass.');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  test('topics are made once, with their settings, and left alone after that', async () => {
    await ensureTopics(kafka, { partitions: 9, replicas: 1 });
    const admin = kafka.admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: ['deployment-events', 'build-logs'] });
    await admin.disconnect();
    expect(topics.map((t) => t.partitions.length)).toEqual([4, 4]);
  });

  test('what a batch reports as failed comes again from there, and nothing before it', async () => {
    const bus = kafkaBus(kafka);
    await bus.publish(TOPIC, messages('a', [0, 1, 2, 3, 4]));
    const seen: string[] = [];
    let failures = 0;
    await consume(group(), async (records) => {
      const at = records.findIndex((r) => own([r])[0] === '3');
      if (at !== -1 && failures++ < 2) {
        seen.push(...own(records.slice(0, at)));
        const { topic, partition, offset } = records[at]!;
        return { batchItemFailures: [{ itemIdentifier: { partition: `${topic}-${partition}`, offset } }] };
      }
      seen.push(...own(records));
      return { batchItemFailures: [] };
    });
    await until(() => seen.includes('4'));
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
    expect(failures).toBeGreaterThanOrEqual(2);
    await bus.close();
  });

  test('a group goes on where it had committed', async () => {
    const bus = kafkaBus(kafka);
    const g = group();
    const first: string[] = [];
    await bus.publish(TOPIC, messages('a', [0, 1, 2]));
    const stop = await consume(g, async (records) => void first.push(...own(records)) as undefined);
    await until(() => first.length === 3);
    await stop();
    leave.splice(0);
    await bus.publish(TOPIC, messages('a', [3, 4]));
    const second: string[] = [];
    await consume(g, async (records) => void second.push(...own(records)) as undefined);
    await until(() => second.includes('4'));
    expect(second).toEqual(['3', '4']);
    await bus.close();
  });

  test('what was at work when it was told to leave is done, and not done again', async () => {
    const bus = kafkaBus(kafka);
    const g = group();
    await bus.publish(TOPIC, messages('a', [0, 1, 2]));
    let begun = false;
    const stop = await consume(g, async (records) => {
      if (own(records).length === 0) return undefined;
      begun = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return undefined;
    });
    await until(() => begun);
    await stop();
    leave.splice(0);
    await bus.publish(TOPIC, messages('a', [3]));
    const second: string[] = [];
    await consume(g, async (records) => void second.push(...own(records)) as undefined);
    await until(() => second.includes('3'));
    expect(second).toEqual(['3']);
    await bus.close();
  });

  test('a member whose handler fails does not keep others from joining, and its work goes on', async () => {
    const bus = kafkaBus(kafka);
    const g = group();
    let fail = true;
    const handled: string[] = [];
    const handler = async (records: MSKRecord[]) => {
      if (fail && own(records).length > 0) throw new Error('not now');
      handled.push(...own(records));
      return undefined;
    };
    await consume(g, handler);
    await bus.publish(TOPIC, Array.from({ length: 16 }, (_, i) => messages(`k${i}`, [i])).flat());
    await new Promise((resolve) => setTimeout(resolve, 500));
    await consume(g, handler);
    fail = false;
    await until(() => new Set(handled).size === 16);
    await bus.close();
  });

  test('many megabytes go in requests that the broker takes; a message that none can hold is refused alone', async () => {
    const bus = kafkaBus(kafka);
    const value = 'x'.repeat(300_000);
    const got: string[] = [];
    await bus.publish(
      TOPIC,
      Array.from({ length: 10 }, () => ({ key: `${run}-a`, value })),
    );
    await expect(bus.publish(TOPIC, [{ key: 'a', value: 'é'.repeat(500_000) }])).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
    await consume(group(), async (records) => void got.push(...own(records)) as undefined);
    await until(() => got.length === 10);
    expect(got.every((v) => v === value)).toBe(true);
    await bus.close();
  });

  test('a broker that is killed and comes back: what was acknowledged is there once and in order', async () => {
    const bus = kafkaBus(kafka);
    /** By place in the log: what was handled but not committed in time is given again, from the same place. */
    const got = new Map<string, number>();
    await consume(group(), async (records) => {
      for (const r of records) for (const value of own([r])) got.set(`${r.partition}/${r.offset}`, Number(value));
      return undefined;
    });
    const acknowledged: number[] = [];
    let restarted: Promise<void> | undefined;
    for (let n = 0; n < 60; n++) {
      if (n === 20) restarted = broker.kill('SIGKILL').then(() => broker.start());
      try {
        await bus.publish(TOPIC, messages('a', [n]));
        acknowledged.push(n);
      } catch (e) {
        expect(e).toMatchObject({ code: 'UNAVAILABLE' });
      }
    }
    await restarted;
    await until(() => acknowledged.every((n) => [...got.values()].includes(n)));
    const values = [...got.values()];
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    expect(acknowledged.length).toBeGreaterThan(30);
    await bus.close();
  });
});

describeWith(ownKafkaMissing, 'a real broker that asks who is there', () => {
  jest.setTimeout(120_000);

  test.each(['tls', 'scram'] as const)('%s', async (security) => {
    const broker = await ownKafka(security);
    const publish = async (env: KafkaEnv) => {
      const config = kafkaConfig(env, { clientId: 'test', region: 'local' });
      const bus = kafkaBus(new Kafka({ ...config, retry: { ...config.retry, retries: 1 } }));
      await bus.publish(TOPIC, [{ key: 'k', value: 'v' }]).finally(() => bus.close());
    };
    try {
      const kafka = new Kafka(kafkaConfig(broker.env, { clientId: 'test', region: 'local' }));
      await ensureTopics(kafka, { partitions: 1, replicas: 1 });
      await publish(broker.env);
      const { KAFKA_CA_FILE: _, ...withoutCa } = broker.env;
      await expect(publish(withoutCa)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      if (security === 'scram') {
        await expect(publish({ ...broker.env, KAFKA_PASSWORD: 'wrong' })).rejects.toMatchObject({
          code: 'UNAVAILABLE',
        });
      }
    } finally {
      await broker.stop();
    }
  });
});

test('a broker that is not there is UNAVAILABLE within a bounded time, to who publishes and to who consumes', async () => {
  const env = { KAFKA_BROKERS: '127.0.0.1:1', KAFKA_SECURITY: 'plaintext' } as const;
  const config = kafkaConfig(env, { clientId: 'test', region: 'local' });
  const kafka = new Kafka({ ...config, retry: { ...config.retry, initialRetryTime: 10, maxRetryTime: 50 } });
  const bus = kafkaBus(kafka);
  const publishing = [1, 2, 3].map((n) => bus.publish('build-logs', [{ key: 'k', value: String(n) }]));
  for (const p of publishing) await expect(p).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await bus.close();
  const handler = async () => undefined;
  const consuming = consumeAsLambda({ kafka, groupId: 'g', topics: [TOPIC], onError: () => {}, handler });
  await expect(consuming).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
