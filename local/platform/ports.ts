import type { MSKRecord } from 'aws-lambda';
import { KafkaEnvSchema } from '../../contract/kafka-env.ts';
import { MAC_HEADER } from '../../contract/mac.ts';
import { DEFAULT_REGION, TOPICS, type Topic } from '../../contract/names.ts';
import type { KafkaEnvironment } from '../../lambdas/build-worker/services/distributionHandler/environment.ts';
import type { Projector } from '../../lambdas/event-projector/compose.ts';
import { connectRedis } from '../../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../../lambdas/shared/adapters/redis/ports.ts';
import { openBus, openKafka } from '../../lambdas/shared/openKafka.ts';
import type {
  Clock,
  DeploymentStore,
  EventBus,
  JobQueue,
  LogChannel,
  RateLimit,
  Subscriptions,
  Tickets,
} from '../../lambdas/shared/ports.ts';
import { type Signing, signedBus } from '../../lambdas/shared/signing.ts';
import { clearWaitingSuspects } from '../adapters/clearWaitingSuspects.ts';
import { consumeAsLambda } from '../adapters/kafka/consumeAsLambda.ts';
import { ensureTopics } from '../adapters/kafka/topics.ts';
import type { MemoryBus, MemoryMessage } from '../adapters/memory/bus.ts';
import { type MemoryPlatform, openMemoryPlatform } from '../adapters/memory/platform.ts';
import { randomScramUser, startKafkaEndpoint } from '../kafka/endpoint.ts';
import type { HostEnv } from './images.ts';

export interface LaptopPorts extends Pick<MemoryPlatform, 'waker' | 'notifier' | 'sites' | 'probe'> {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly logs: LogChannel;
  readonly subscriptions: Subscriptions;
  readonly tickets: Tickets;
  readonly rateLimit: RateLimit;
  readonly bus: EventBus;
  /** `KAFKA_*` of the builders' environment. */
  readonly kafka: KafkaEnvironment;
  /** Feeds the projector with everything on all topics. */
  readonly feed: (project: Projector) => Promise<void>;
  /** The secret that messages are signed with. */
  readonly signing: Signing;
  readonly close: () => Promise<void>;
}

export interface LaptopPortsOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly hostEnv: HostEnv;
  readonly onError: (error: unknown) => void;
  /** Called with one sentence when a journal was repaired at the start. */
  readonly onRepair: (sentence: string) => void;
  /**
   * Gives the signing secret. Called after the folder was locked, since a process without the lock must not write to
   * it.
   */
  readonly signing: () => Promise<Signing>;
}

/** A person waits for the stop, and what is cut off is done again. */
const LAST_RUNS_MS = 1_000;

/**
 * The memory adapters, with single engines switched to real ones by the host's environment: `REDIS_URL` for jobs, state and
 * logs, `KAFKA_BROKERS` (and the other `KAFKA_*`) for messages. The waker and the sockets are always of this process.
 */
export async function openLaptopPorts(options: LaptopPortsOptions): Promise<LaptopPorts> {
  const { hostEnv } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const closePorts = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    const memory = await openMemoryPlatform({ ...options, lastRunsMs: LAST_RUNS_MS });
    closers.push(() => memory.close());
    const signing = await options.signing();
    const state = hostEnv.REDIS_URL ? redisState(hostEnv.REDIS_URL, options, closers) : memory;
    // Active jobs belong to a process that has ended, so they can be claimed at once and not only when their lease
    // expires.
    await memory.queue.expireLeases();
    if (memory.crashed) await clearWaitingSuspects(state.queue);
    const messages = hostEnv.KAFKA_BROKERS
      ? await kafkaMessages(hostEnv, { ...options, signing }, closers)
      : await memoryMessages(memory.bus, signing, closers);
    const { queue, store, logs, subscriptions, tickets, rateLimit } = state;
    const { waker, notifier, sites, probe } = memory;
    return {
      queue,
      store,
      logs,
      subscriptions,
      tickets,
      rateLimit,
      waker,
      notifier,
      sites,
      probe,
      signing,
      ...messages,
      close: closePorts,
    };
  } catch (e) {
    await closePorts();
    throw e;
  }
}

type Closers = (() => Promise<unknown>)[];
type Messages = Pick<LaptopPorts, 'bus' | 'kafka' | 'feed'>;

function redisState(url: string, { onError }: LaptopPortsOptions, closers: Closers) {
  const redis = connectRedis({ url, onError });
  const ports = openRedisPorts(redis, { prefix: 'veren' });
  closers.push(async () => {
    await ports.close();
    redis.disconnect();
  });
  return ports;
}

/** A broker that others may use too: the topics are made, and a consumer group feeds the projector as Lambda's source does. */
async function kafkaMessages(
  hostEnv: HostEnv,
  { onError, signing }: Pick<LaptopPortsOptions, 'onError'> & { signing: Signing },
  closers: Closers,
): Promise<Messages> {
  const env = KafkaEnvSchema.parse(hostEnv);
  const topics = Object.values(TOPICS);
  const kafka = await openKafka(env, 'veren-laptop', DEFAULT_REGION);
  await ensureTopics(kafka, { partitions: 3, replicas: 1 });
  const bus = openBus(env, 'veren-laptop', DEFAULT_REGION);
  closers.push(() => bus.close());
  return {
    bus: signedBus(bus, async () => signing),
    kafka: env,
    async feed(project) {
      closers.push(await consumeAsLambda({ kafka, groupId: 'veren-laptop', topics, handler: project, onError }));
    },
  };
}

/** Builders speak Kafka's protocol to an endpoint of ours, whose messages go to the journal. */
async function memoryMessages(bus: MemoryBus, signing: Signing, closers: Closers): Promise<Messages> {
  const endpoint = await startKafkaEndpoint({
    user: randomScramUser(),
    onMessages: (topic, messages) => bus.publish(topic as Topic, messages),
  });
  closers.push(() => endpoint.close());
  return {
    bus: signedBus(bus, async () => signing),
    kafka: endpoint.environment,
    async feed(project) {
      for (const topic of Object.values(TOPICS))
        bus.subscribe(topic, async (batch) => {
          const { batchItemFailures } = await project({ records: { [topic]: batch.map(asMskRecord) } });
          // The bus delivers the whole batch again until it succeeds; handling a message twice does no harm.
          if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} records were given back`);
        });
    },
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A message of the memory bus as Lambda's event source has it. */
export const asMskRecord = ({ topic, partition, offset, key, value, mac }: MemoryMessage): MSKRecord => ({
  topic,
  partition,
  offset,
  timestamp: 0,
  timestampType: 'CREATE_TIME',
  key: base64(key),
  value: base64(value),
  headers: mac === undefined ? [] : [{ [MAC_HEADER]: [...Buffer.from(mac)] }],
});
