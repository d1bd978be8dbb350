import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka } from 'kafkajs';
import type { Topic } from '../../contract/names.ts';
import { kafkaBus } from '../../lambdas/shared/adapters/kafka/bus.ts';
import { kafkaConfig } from '../../lambdas/shared/adapters/kafka/config.ts';
import type { EventBus } from '../../lambdas/shared/ports.ts';
import { consumeAsLambda } from '../../local/adapters/kafka/consumeAsLambda.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { describeWith } from '../support/engines.ts';
import { fakeClock } from '../support/fakeClock.ts';
import { anyKafka, group, kafkaMissing, mockKafka, mockKafkaMissing } from '../support/kafka.ts';

interface Received {
  readonly key: string;
  readonly value: string;
  readonly partition: number;
  readonly offset: number;
}
type Handler = (batch: readonly Received[]) => Promise<void>;

interface Bus {
  readonly bus: EventBus;
  /** Feeds the handler with a topic's messages, from the oldest; a batch whose handler fails comes again. */
  consume(topic: Topic, handler: Handler): Promise<void>;
  close(): Promise<void>;
}

interface Adapter {
  readonly name: string;
  readonly missing: string | null;
  setUp(): Promise<{ open(): Promise<Bus>; tearDown(): Promise<void> }>;
}

async function memoryBus(dataDir?: string): Promise<Bus> {
  const platform = await openMemoryPlatform({
    clock: fakeClock(),
    onError: () => {},
    ...(dataDir !== undefined && { dataDir }),
  });
  return {
    bus: platform.bus,
    consume: async (topic, handler) => platform.bus.subscribe(topic, handler),
    close: () => platform.close(),
  };
}

function kafkaAdapter(name: string, missing: string | null, start: typeof anyKafka): Adapter {
  return {
    name,
    missing,
    async setUp() {
      const engine = await start();
      return {
        async open() {
          const env = { KAFKA_BROKERS: engine.brokers, KAFKA_SECURITY: 'plaintext' } as const;
          const kafka = new Kafka(kafkaConfig(env, { clientId: 'test', region: 'local' }));
          const bus = kafkaBus(kafka);
          const leave: (() => Promise<void>)[] = [];
          return {
            bus,
            async consume(topic, handler) {
              const stop = await consumeAsLambda({
                kafka,
                groupId: group(),
                topics: [topic],
                onError: () => {},
                async handler(event) {
                  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
                  const records = Object.values(event.records).flat();
                  await handler(records.map((r) => ({ ...r, key: text(r.key), value: text(r.value) })));
                  return { batchItemFailures: [] };
                },
              });
              leave.push(stop);
            },
            async close() {
              await Promise.all(leave.map((l) => l()));
              await bus.close();
            },
          };
        },
        tearDown: () => engine.stop(),
      };
    },
  };
}

const adapters: Adapter[] = [
  {
    name: 'memory',
    missing: null,
    setUp: async () => ({ open: () => memoryBus(), tearDown: async () => {} }),
  },
  {
    name: 'memory with a journal',
    missing: null,
    async setUp() {
      const dir = await mkdtemp(join(tmpdir(), 'veren-bus-'));
      let n = 0;
      return {
        open: () => memoryBus(join(dir, String(n++))),
        tearDown: () => rm(dir, { recursive: true, force: true }),
      };
    },
  },
  kafkaAdapter("librdkafka's mock cluster", mockKafkaMissing, mockKafka),
  kafkaAdapter('Kafka', kafkaMissing, anyKafka),
];

for (const adapter of adapters) {
  describeWith(adapter.missing, `EventBus on ${adapter.name}`, () => {
    let shared: Awaited<ReturnType<Adapter['setUp']>>;
    let opened: Bus;
    /** The engine is shared, so each test has keys of its own. */
    let run = 0;
    beforeAll(async () => {
      shared = await adapter.setUp();
    }, 90_000);
    afterAll(() => shared.tearDown());
    beforeEach(async () => {
      run++;
      opened = await shared.open();
    });
    afterEach(() => opened.close());

    const key = (name: string) => `${run}-${name}`;
    const own = (received: readonly Received[]) => received.filter((r) => r.key.startsWith(`${run}-`));
    async function until(what: () => boolean) {
      const end = Date.now() + 20_000;
      while (!what()) {
        if (Date.now() > end) throw new Error('It did not come to pass.');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }

    test('what was published is received, on its topic only, byte by byte', async () => {
      const value = JSON.stringify({ text: 'ü "q" \u2028 \u0000', long: 'x'.repeat(100_000) });
      const events: Received[] = [];
      const logs: Received[] = [];
      await opened.bus.publish('deployment-events', [{ key: key('a'), value }]);
      await opened.bus.publish('build-logs', [{ key: key('a'), value: 'line' }]);
      await opened.bus.publish('build-logs', []);
      await opened.consume('deployment-events', async (batch) => void events.push(...own(batch)));
      await opened.consume('build-logs', async (batch) => void logs.push(...own(batch)));
      await until(() => events.length > 0 && logs.length > 0);
      expect(events.map((m) => [m.key, m.value])).toEqual([[key('a'), value]]);
      expect(logs.map((m) => [m.key, m.value])).toEqual([[key('a'), 'line']]);
    });

    test('messages of one key keep their order and their partition, from many publishes at once', async () => {
      const received: Received[] = [];
      await opened.consume('deployment-events', async (batch) => void received.push(...own(batch)));
      const keys = Array.from({ length: 12 }, (_, i) => key(`k${i}`));
      const published: Promise<void>[] = [];
      for (let n = 0; n < 20; n++) {
        const messages = keys.flatMap((k) => [
          { key: k, value: String(2 * n) },
          { key: k, value: String(2 * n + 1) },
        ]);
        published.push(opened.bus.publish('deployment-events', messages));
      }
      await Promise.all(published);
      await until(() => received.length >= 480);
      for (const k of keys) {
        const ofKey = received.filter((r) => r.key === k);
        expect(ofKey.map((r) => Number(r.value))).toEqual(Array.from({ length: 40 }, (_, i) => i));
        expect(new Set(ofKey.map((r) => r.partition)).size).toBe(1);
      }
      expect(new Set(received.map((r) => r.partition)).size).toBeGreaterThan(1);
    });

    test('what could not be handled comes again, in order, and nothing overtakes it', async () => {
      const handled: string[] = [];
      let failures = 0;
      await opened.consume('build-logs', async (batch) => {
        const mine = own(batch);
        if (mine.some((m) => m.value === '2') && failures++ < 2) throw new Error('not now');
        handled.push(...mine.map((m) => m.value));
      });
      for (const value of ['0', '1', '2', '3', '4']) {
        await opened.bus.publish('build-logs', [{ key: key('a'), value }]);
      }
      await until(() => handled.includes('4'));
      expect(failures).toBeGreaterThanOrEqual(2);
      expect(handled).toEqual(['0', '1', '2', '3', '4']);
    });

    test('offsets grow by one within a partition', async () => {
      const received: Received[] = [];
      await opened.bus.publish(
        'build-logs',
        Array.from({ length: 50 }, (_, i) => ({ key: key('a'), value: `${i}` })),
      );
      await opened.consume('build-logs', async (batch) => void received.push(...own(batch)));
      await until(() => received.length >= 50);
      const first = received[0]!.offset;
      expect(received.map((r) => r.offset)).toEqual(Array.from({ length: 50 }, (_, i) => first + i));
    });
  });
}
