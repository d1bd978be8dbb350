import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { TOPICS } from '../../contract/names.ts';
import { isTerminal } from '../../contract/record.ts';
import { type KafkaBus, kafkaBus } from '../../lambdas/shared/adapters/kafka/bus.ts';
import { kafkaConfig } from '../../lambdas/shared/adapters/kafka/config.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { ownKafka, ownKafkaMissing } from '../support/kafka.ts';
import { rebuildCommand } from '../support/rebuildCommand.ts';
import { ownRedis, ownRedisMissing } from '../support/redis.ts';
import { type StarterBroker, startStarterBroker } from '../support/starterBroker.ts';
import { exampleRepository, HOST_NODE, startVeren, temporaryFolder } from '../support/veren.ts';

const DEPLOYMENTS = 50;
const KILLS = 10;
/** The one of the kills after which the data folder is empty. */
const LOSS = 6;
const AT_ONCE = 3;

/** The scripts of its image, by Kafka's own programs; what only AWS has (instance, volume, container) is not here. */
describeWith(tooSlow ?? ownRedisMissing ?? ownKafkaMissing, 'the one broker of stage starter', () => {
  let broker: StarterBroker;
  beforeAll(async () => {
    broker = await startStarterBroker();
  }, 300_000);
  afterAll(() => broker?.stop());

  it('takes from builders what is theirs, and nothing without its authority or a login', async () => {
    const send = async (env: StarterBroker['env'], topic: string) => {
      const config = kafkaConfig(env, { clientId: 'test', region: 'local', retry: { retries: 1 } });
      const producer = new Kafka({ ...config, logLevel: logLevel.NOTHING }).producer();
      try {
        await producer.connect();
        await producer.send({ topic, acks: -1, messages: [{ key: 'nobody', value: 'no JSON' }] });
        return 'sent';
      } catch (e) {
        return (e as Error).message;
      } finally {
        await producer.disconnect().catch(() => {});
      }
    };
    const { KAFKA_CA: _, ...unknownAuthority } = broker.env;
    expect(await send(broker.builderEnv, TOPICS.buildEvents)).toBe('sent');
    expect(await send(broker.builderEnv, TOPICS.logs)).toBe('sent');
    expect(await send(broker.env, TOPICS.events)).toBe('sent');
    expect(await send(broker.builderEnv, TOPICS.events)).toMatch(/not authorized/i);
    expect(await send(broker.env, 'misspelt')).toMatch(/does not host this topic/);
    expect(await send({ ...broker.builderEnv, KAFKA_PASSWORD: 'guessed' }, TOPICS.logs)).toMatch(/authentication/i);
    expect(await send(unknownAuthority, TOPICS.events)).toMatch(/certificate/);
  }, 120_000);

  it('keeps what it acknowledges to producers from before the loss of its data and from after it', async () => {
    const client = () => new Kafka(kafkaConfig(broker.env, { clientId: 'test', region: 'local' }));
    const [before, after] = [kafkaBus(client()), kafkaBus(client())];
    const consumer = client().consumer({ groupId: 'test' });
    const send = async (bus: KafkaBus, name: string, count: number) => {
      for (let i = 0; i < count; i++) await bus.publish(TOPICS.events, [{ key: 'one', value: `${name} ${i}` }]);
      return Array.from({ length: count }, (_, i) => `${name} ${i}`);
    };
    try {
      await send(before, 'lost', 3);
      await broker.kill();
      await broker.loseData();
      await broker.start();
      const acknowledged = await send(after, 'new', 3);
      for (let i = 0; i < 3; i++)
        acknowledged.push(...(await send(before, `old ${i}`, 1)), ...(await send(after, `next ${i}`, 1)));
      const kept: string[] = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [TOPICS.events], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => void kept.push(String(message.value)) });
      await send(after, 'last', 1);
      while (!kept.includes('last 0')) await sleep(50);
      expect(kept).toEqual([...acknowledged, 'last 0']);
    } finally {
      await Promise.all([before.close(), after.close(), consumer.disconnect()]);
    }
  }, 300_000);

  it(`is killed ${KILLS} times during ${DEPLOYMENTS} deployments and loses its data once: none is lost, none is stuck`, async () => {
    const folder = await temporaryFolder();
    const data = join(folder.path, 'data');
    const redis = await ownRedis();
    const env = Object.fromEntries(Object.entries(broker.env).map(([k, v]) => [k, String(v)]));
    const veren = await startVeren(data, { ...env, REDIS_URL: redis.url });
    try {
      const gitUrl = await exampleRepository('static-page', folder.path);
      const accepted: string[] = [];
      const ended: { accepted: number; at: number; status: string }[] = [];
      let refused = 0;
      /** A client that asks again until its request is accepted. */
      async function deployOne(n: number): Promise<void> {
        try {
          const request = { projectId: `site-${n}`, gitUrl, frontend: HOST_NODE };
          const { deploymentId } = await veren.client.createDeployment(request);
          accepted.push(deploymentId);
          const at = Date.now();
          const { status } = await veren.finished(deploymentId);
          ended.push({ accepted: at, at: Date.now(), status });
        } catch (e) {
          if ((e as { code?: string }).code !== 'UNAVAILABLE') throw e;
          refused += 1;
          await sleep(500);
          return deployOne(n);
        }
      }
      let next = 0;
      const client = async () => {
        while (next < DEPLOYMENTS) await deployOne(next++);
      };
      const killed: number[] = [];
      const killer = async () => {
        for (let n = 1; n <= KILLS; n++) {
          // One more in every tenth of the deployments, the last before the last of them are asked for.
          while (accepted.length < (n * DEPLOYMENTS) / KILLS - AT_ONCE) await sleep(50);
          killed.push(Date.now());
          await broker.kill();
          if (n === LOSS) await broker.loseData();
          await broker.start();
        }
      };
      await Promise.all([killer(), ...Array.from({ length: AT_ONCE }, client)]);

      const waits = killed.map((at) => {
        const after = ended.filter((e) => e.accepted > at && e.status === 'succeeded').map((e) => e.at);
        return after.length > 0 ? ((Math.min(...after) - at) / 1_000).toFixed(1) : 'none came';
      });
      console.log(
        `${accepted.length} accepted, ${refused} requests refused; seconds from a kill to the end of the next deployment that ` +
          `was accepted after it: ${waits.join(', ')} (the data are lost with the ${LOSS}th)`,
      );
      expect(new Set(accepted).size).toBe(DEPLOYMENTS);
      expect(killed).toHaveLength(KILLS);
      const records = await Promise.all(accepted.map((id) => veren.client.getDeployment(id)));
      expect(records.filter(({ status }) => !isTerminal(status))).toEqual([]);
      expect(records.flatMap(({ error }) => (error ? [error] : []))).toEqual([]);
      expect(await veren.stop()).toBe(0);

      // As docs/deploy.md moves to MSK, and after the loss of Redis at that: everything of before comes from the bucket.
      const [other, emptyRedis] = [await ownKafka(), await ownRedis()];
      const engines = { KAFKA_BROKERS: other.brokers, REDIS_URL: emptyRedis.url };
      try {
        const report = await rebuildCommand(data, engines);
        expect(report).toMatchObject({ recordsRestored: DEPLOYMENTS, unfinished: [], differing: [] });
        const moved = await startVeren(data, engines);
        const after = await Promise.all(accepted.map((id) => moved.client.getDeployment(id)));
        expect(after.map(({ status }) => status)).toEqual(records.map(({ status }) => status));
        expect((await moved.deploy({ projectId: 'site-0', gitUrl, frontend: HOST_NODE })).status).toBe('succeeded');
        expect(await moved.stop()).toBe(0);
      } finally {
        await Promise.all([other.stop(), emptyRedis.stop()]);
      }
    } finally {
      await veren.stop();
      await redis.stop();
      await folder.remove();
    }
  }, 900_000);
});
