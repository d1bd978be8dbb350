import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { DeploymentEventSchema, LogBatchSchema } from '../../contract/events.ts';
import { TOPICS } from '../../contract/names.ts';
import { describeWith } from '../support/engines.ts';
import { anyKafka, group, kafkaMissing } from '../support/kafka.ts';
import { anyRedis, redisMissing } from '../support/redis.ts';
import { exampleRepository, HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

/** The laptop's platform with REDIS_URL and KAFKA_BROKERS set: the same deployment, through the real engines. */
describeWith(redisMissing ?? kafkaMissing, 'the platform on real Redis and Kafka', () => {
  it('deploys through both, and shows it in the topics', async () => {
    const folder = await temporaryFolder();
    const [redis, kafka] = await Promise.all([anyRedis(), anyKafka()]);
    const veren = await startVeren(join(folder.path, 'data'), { REDIS_URL: redis.url, KAFKA_BROKERS: kafka.brokers });
    try {
      const gitUrl = await exampleRepository('static-page', folder.path);
      const record = await veren.deploy({ projectId: 'engines', gitUrl, frontend: HOST_NODE });
      expect(record.status).toBe('succeeded');
      const { url } = record.builds.frontend!.artifact as { url: string };
      expect((await fetch(url)).status).toBe(200);
      const lines = await veren.logs(record.deploymentId);
      expect(lines.length).toBeGreaterThan(0);

      const messages = await topicContents(kafka.brokers, record.deploymentId);
      const events = [TOPICS.events, TOPICS.buildEvents].flatMap((topic) =>
        messages[topic]!.map((m) => DeploymentEventSchema.parse(m).type),
      );
      expect(events).toEqual(
        expect.arrayContaining(['deployment.requested', 'deployment.analyzed', 'build.started', 'build.phase']),
      );
      expect(events.at(-1)).toBe('build.succeeded');
      const sent = messages[TOPICS.logs]!.flatMap((m) => LogBatchSchema.parse(m).lines);
      expect(sent.map((l) => l.line)).toEqual(lines.map((l) => l.line));

      const client = new Redis(redis.url);
      expect((await client.keys(`*${record.deploymentId}*`)).length).toBeGreaterThan(0);
      client.disconnect();
    } finally {
      expect(await veren.stop()).toBe(0);
      await Promise.all([redis.stop(), kafka.stop()]);
      await folder.remove();
    }
  }, 120_000);
});

/** Everything of one deployment on all topics, in its order. */
async function topicContents(brokers: string, deploymentId: string): Promise<Record<string, unknown[]>> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: group() });
  const found: Record<string, unknown[]> = { [TOPICS.events]: [], [TOPICS.buildEvents]: [], [TOPICS.logs]: [] };
  await consumer.connect();
  await consumer.subscribe({ topics: Object.values(TOPICS), fromBeginning: true });
  const ended = new Promise<void>((done) => {
    void consumer.run({
      eachMessage: async ({ topic, message }) => {
        if (message.key?.toString() !== deploymentId) return;
        const value = JSON.parse(String(message.value)) as { type?: string };
        found[topic]?.push(value);
        // The builder sends its last lines before its last event.
        if (value.type === 'build.succeeded') setTimeout(done, 1_000);
      },
    });
  });
  await ended;
  await consumer.disconnect();
  return found;
}
