import fc from 'fast-check';
import { KafkaError } from '../../../local/kafka/errorCodes.ts';
import { readFrames } from '../../../local/kafka/frames.ts';
import { decodeRecordBatch } from '../../../local/kafka/recordBatch.ts';

// kafkajs' own encoder is the other side of the wire.
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js');
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js');

const message = fc.record({
  key: fc.option(fc.string({ unit: 'grapheme' })),
  value: fc.option(fc.string({ unit: 'grapheme', maxLength: 300 })),
  delta: fc.integer({ min: -100_000, max: 100_000 }),
  headers: fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 3 }),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;
const BASE = 1_900_000_000_000;

async function encode(messages: Message[], compression: 0 | 1 = 0): Promise<Buffer> {
  const records = messages.map(({ key, value, delta, headers }, offsetDelta) =>
    Record({
      offsetDelta,
      timestampDelta: delta,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers,
    }),
  );
  const { buffer } = await RecordBatch({
    compression,
    firstTimestamp: BASE,
    maxTimestamp: BASE + 100_000,
    producerId: 7,
    producerEpoch: 1,
    firstSequence: 3,
    lastOffsetDelta: messages.length - 1,
    records,
  });
  return buffer;
}

const batches = fc.tuple(fc.array(message, { minLength: 1, maxLength: 20 }), fc.constantFrom(0 as const, 1 as const));

test('what kafkajs encodes is what is read', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async ([messages, compression]) => {
      const batch = decodeRecordBatch(await encode(messages, compression));
      expect(batch).toMatchObject({ producerId: 7n, producerEpoch: 1, baseSequence: 3 });
      expect(batch.messages).toEqual(
        messages.map(({ key, value, delta }) => ({ key: key ?? '', value: value ?? '', timestamp: BASE + delta })),
      );
    }),
  );
});

test('a changed, cut or random batch is refused with an error code, never otherwise', async () => {
  const refused = (bytes: Buffer) => expect(() => decodeRecordBatch(bytes)).toThrow(KafkaError);
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async ([messages, compression], at, change) => {
        const bytes = await encode(messages, compression);
        const position = at % bytes.length;
        refused(bytes.subarray(0, position));
        refused(Buffer.concat([bytes, Buffer.from([change])]));
        // The offset and the leader's epoch are the broker's to set: they are not covered by the checksum.
        if (position < 8 || (position >= 12 && position < 16)) return;
        const changed = Buffer.from(bytes);
        changed[position]! ^= change;
        refused(changed);
      },
    ),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => refused(Buffer.from(bytes))));
});

test('frames are the same however the stream is cut', async () => {
  const frames = fc.array(fc.uint8Array({ minLength: 8, maxLength: 100 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), async (bodies, sizes) => {
      const stream = Buffer.concat(bodies.flatMap((body) => [Buffer.from([0, 0, 0, body.length]), Buffer.from(body)]));
      async function* pieces() {
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          yield stream.subarray(at, at + size);
          at += size;
        }
      }
      const read: Buffer[] = [];
      for await (const frame of readFrames(pieces(), () => 100)) read.push(frame);
      expect(read.map((f) => [...f])).toEqual(bodies.map((b) => [...b]));
    }),
  );
});
