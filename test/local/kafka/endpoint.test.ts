import { once } from 'node:events';
import { connect } from 'node:net';
import { CompressionTypes, Kafka, type KafkaConfig, logLevel, type Producer, type ProducerConfig } from 'kafkajs';
import { MAC_HEADER } from '../../../contract/mac.ts';
import { TOPICS } from '../../../contract/names.ts';
import type { KafkaFault } from '../../../local/kafka/connection.ts';
import {
  type KafkaEndpoint,
  type KafkaEndpointOptions,
  randomScramUser,
  startKafkaEndpoint,
} from '../../../local/kafka/endpoint.ts';

const received: { topic: string; key: string; value: string }[] = [];
const user = randomScramUser();
let endpoint: KafkaEndpoint;
const ends: (() => Promise<void>)[] = [];

async function start(options: Partial<KafkaEndpointOptions> = {}): Promise<KafkaEndpoint> {
  received.length = 0;
  endpoint = await startKafkaEndpoint({
    user,
    onMessages: async (topic, messages) => {
      received.push(...messages.map(({ key, value, mac }) => ({ topic, key, value, ...(mac && { mac }) })));
    },
    ...options,
  });
  ends.push(() => endpoint.close());
  return endpoint;
}

async function producer(options: ProducerConfig = {}, config: Partial<KafkaConfig> = {}): Promise<Producer> {
  const kafka = new Kafka({
    brokers: [endpoint.broker],
    clientId: 'test',
    logLevel: logLevel.NOTHING,
    sasl: { mechanism: 'scram-sha-512', ...user },
    retry: { retries: 3, initialRetryTime: 10, maxRetryTime: 50 },
    ...config,
  });
  const made = kafka.producer(options);
  ends.unshift(() => made.disconnect());
  await made.connect();
  return made;
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const values = () => received.map((r) => r.value);

test('kafkajs logs in, produces in order and gzipped, and is answered after the messages are kept', async () => {
  const order: string[] = [];
  await start({
    onMessages: async (topic, messages) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      received.push(...messages.map(({ key, value, mac }) => ({ topic, key, value, ...(mac && { mac }) })));
      order.push('kept');
    },
  });
  const p = await producer();
  await p.sendBatch({
    acks: -1,
    topicMessages: [
      {
        topic: TOPICS.buildEvents,
        messages: [{ key: 'd1', value: 'ä{}', headers: { a: 'b', [MAC_HEADER]: 'proof' } }],
      },
      { topic: TOPICS.logs, messages: [{ key: 'd1', value: 'x' }, { value: 'y' }] },
    ],
  });
  order.push('acknowledged');
  expect(order).toEqual(['kept', 'kept', 'acknowledged']);
  expect(received.sort((a, b) => (a.value < b.value ? -1 : 1))).toEqual([
    { topic: TOPICS.logs, key: 'd1', value: 'x' },
    { topic: TOPICS.logs, key: '', value: 'y' },
    { topic: TOPICS.buildEvents, key: 'd1', value: 'ä{}', mac: 'proof' },
  ]);
  received.length = 0;
  const many = Array.from({ length: 2_000 }, (_, i) => `line ${i}`);
  await p.send({
    topic: TOPICS.logs,
    compression: CompressionTypes.GZIP,
    messages: many.map((value) => ({ key: 'd1', value })),
  });
  expect(values()).toEqual(many);
});

test('what cannot be kept now is tried again by the producer', async () => {
  let failures = 2;
  await start({
    onMessages: async (topic, messages) => {
      if (failures-- > 0) throw new Error('disk full');
      received.push(...messages.map(({ key, value, mac }) => ({ topic, key, value, ...(mac && { mac }) })));
    },
  });
  const p = await producer();
  await p.send({ topic: TOPICS.buildEvents, messages: [{ key: 'k', value: 'v' }] });
  expect(values()).toEqual(['v']);
});

test.each<[KafkaFault, ProducerConfig, number]>([
  ['retriable', {}, 1],
  ['drop', {}, 1],
  ['drop-after', {}, 2], // at least once: the producer cannot know
  ['drop-after', { idempotent: true, maxInFlightRequests: 1 }, 1],
])('fault %s with %j: the message is kept %i time(s)', async (fault, config, times) => {
  await start({ fault: (api, n) => (api === 'Produce' && n === 1 ? fault : undefined) });
  const p = await producer(config);
  await p.send({ topic: TOPICS.buildEvents, messages: [{ key: 'k', value: 'once' }] });
  expect(values()).toEqual(Array.from({ length: times }, () => 'once'));
  await p.send({ topic: TOPICS.buildEvents, messages: [{ key: 'k', value: 'next' }] });
  expect(values().at(-1)).toBe('next');
});

test('without the password nothing is accepted', async () => {
  await start();
  const retry = { retries: 0 };
  const wrong = { mechanism: 'scram-sha-512', username: user.username, password: 'guess' } as const;
  await expect(producer({}, { sasl: wrong, retry })).rejects.toThrow(/Authentication failed/);
  const other = { mechanism: 'scram-sha-512', username: 'other', password: user.password } as const;
  await expect(producer({}, { sasl: other, retry })).rejects.toThrow(/Authentication failed/);
  const plain = { mechanism: 'plain', ...user } as const;
  await expect(producer({}, { sasl: plain, retry })).rejects.toThrow(/mechanism/);
  const anonymous = new Kafka({
    brokers: [endpoint.broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).producer();
  ends.unshift(() => anonymous.disconnect());
  await anonymous.connect();
  await expect(anonymous.send({ topic: TOPICS.buildEvents, messages: [{ value: 'forged' }] })).rejects.toThrow();
  expect(received).toEqual([]);
});

test('topics that are not the builders’ and batches over the limit of a real broker are refused', async () => {
  await start();
  const p = await producer({}, { retry: { retries: 0 } });
  for (const topic of [TOPICS.events, 'other'])
    await expect(p.send({ topic, messages: [{ value: 'x' }] })).rejects.toThrow(/Not authorized to access topics/);
  await expect(p.send({ topic: TOPICS.logs, messages: [{ value: 'x'.repeat(1_100_000) }] })).rejects.toThrow(
    /too large|larger than/,
  );
  expect(received).toEqual([]);
});

test('frames that make no sense end the connection, and only that one', async () => {
  await start();
  const frame = (body: number[]) => Buffer.concat([Buffer.from([0, 0, 0, body.length]), Buffer.from(body)]);
  const hostile = [
    Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0]),
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0, 0, 0, 0]),
    frame([0, 99, 0, 0, 0, 0, 0, 1]),
    frame([0, 3, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]), // Metadata before login
    frame([0, 17, 0, 1, 0, 0, 0, 1, 0x7f, 0xff]),
    Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
  ];
  for (const bytes of hostile)
    await new Promise<void>((resolve, reject) => {
      const socket = connect(endpoint.port, '127.0.0.1', () => socket.write(bytes));
      socket.setTimeout(20_000, () => reject(new Error(`The connection stays open after ${bytes.toString('hex')}`)));
      socket
        .on('error', () => undefined)
        .on('data', () => reject(new Error('answered')))
        .on('close', () => resolve());
    });
  const p = await producer();
  await p.send({ topic: TOPICS.buildEvents, messages: [{ value: 'fine' }] });
  expect(values()).toEqual(['fine']);
});

test('the number of a producer cannot be guessed from another: who knew it could make its batches count as repeats', async () => {
  const ids: bigint[] = [];
  const wire = await import('../../../local/kafka/wire.ts');
  await start({ user: undefined as never });
  for (let n = 0; n < 3; n++) {
    const socket = connect(endpoint.port, '127.0.0.1');
    const body = new wire.WireWriter().int16(22).int16(0).int32(n).string('test').string(null).int32(1_000);
    socket.write(body.frame());
    const [answer] = (await once(socket, 'data')) as [Buffer];
    ids.push(new wire.WireReader(answer.subarray(4 + 4 + 4 + 2)).int64());
    socket.destroy();
  }
  expect(ids.every((id) => id >= 0n)).toBe(true);
  const apart = (a: bigint, b: bigint) => (a > b ? a - b : b - a);
  expect(apart(ids[0]!, ids[1]!)).toBeGreaterThan(1_000_000n);
  expect(apart(ids[1]!, ids[2]!)).toBeGreaterThan(1_000_000n);
});
