import type { KafkaMessage } from 'kafkajs';
import { doneOf, firstBatch, lambdaEvent } from '../../../../local/adapters/kafka/lambdaEvent.ts';

const message = (offset: number): KafkaMessage => ({
  offset: String(offset),
  timestamp: '1767225600000',
  key: Buffer.from('dep'),
  value: Buffer.from(`{"n":${offset}}`),
  attributes: 0,
  headers: {},
});
const messages = [10, 11, 12].map(message);
const failed = (partition: string, offset: number) => ({ itemIdentifier: { partition, offset } });

test('an event has the shape that Lambda gives', () => {
  const event = lambdaEvent('build-logs', 2, [message(10), { ...message(11), key: null, value: null }], {
    arn: 'arn:aws:kafka:x',
    brokers: 'b:9098',
  });
  expect(event).toEqual({
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:x',
    bootstrapServers: 'b:9098',
    records: {
      'build-logs-2': [
        {
          topic: 'build-logs',
          partition: 2,
          offset: 10,
          timestamp: 1767225600000,
          timestampType: 'CREATE_TIME',
          key: Buffer.from('dep').toString('base64'),
          value: Buffer.from('{"n":10}').toString('base64'),
          headers: [],
        },
        expect.objectContaining({ offset: 11, key: '', value: '' }),
      ],
    },
  });
});

test('headers are lists of bytes, one entry for each value', () => {
  const headers = { 'veren-mac': Buffer.from('ab'), many: ['x', Buffer.from('y')] };
  const { records } = lambdaEvent('build-events', 0, [{ ...message(1), headers } as KafkaMessage], {
    arn: '',
    brokers: '',
  });
  expect(records['build-events-0']?.[0]?.headers).toEqual([
    { 'veren-mac': [97, 98] },
    { many: [120] },
    { many: [121] },
  ]);
});

test.each([
  ['no answer', undefined, 3],
  ['null', null, 3],
  ['no failures', { batchItemFailures: [] }, 3],
  ['the last failed', { batchItemFailures: [failed('t-1', 12)] }, 2],
  ['several failed: from the lowest on', { batchItemFailures: [failed('t-1', 12), failed('t-1', 11)] }, 1],
  ['several failed, the lowest first', { batchItemFailures: [failed('t-1', 11), failed('t-1', 12)] }, 1],
  ['the first failed', { batchItemFailures: [failed('t-1', 10)] }, 0],
  ['an offset that was not in the batch', { batchItemFailures: [failed('t-1', 99)] }, 0],
  ['another partition', { batchItemFailures: [failed('t-2', 12)] }, 0],
  ['another shape', { batchItemFailures: [{ itemIdentifier: { topic: 't', partition: 1, offset: 12 } }] } as never, 0],
  ['nothing in it', { batchItemFailures: [null] } as never, 0],
])('done after: %s', (_, response, done) => {
  expect(doneOf('t', 1, messages, response)).toBe(done);
});

describe('an event holds', () => {
  const sized = (bytes: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...message(i), value: Buffer.alloc(bytes) }));

  test.each([
    ['a hundred records at most', 10, 250, 100],
    ['all, where they are few', 10, 7, 7],
    ['six megabytes at most', 1_000_000, 20, 4],
    ['one at least', 9_000_000, 3, 1],
    ['nothing of nothing', 10, 0, 0],
  ])('%s', (_, bytes, count, expected) => {
    const batch = firstBatch(sized(bytes, count));
    expect(batch.map((m) => m.offset)).toEqual(Array.from({ length: expected }, (_, i) => String(i)));
    const event = lambdaEvent('build-logs', 0, batch, { arn: 'arn', brokers: '' });
    if (expected > 1) expect(JSON.stringify(event).length).toBeLessThanOrEqual(6_000_000);
  });
});
