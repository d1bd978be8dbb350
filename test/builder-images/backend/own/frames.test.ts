import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import {
  FRAME,
  type FrameKind,
  MAX_FRAME_BYTES,
  readFrames,
  writeFrame,
} from '../../../../builder-images/build-image-backend/isolated/frames.ts';

const all = async (bytes: Iterable<Buffer>) => {
  const frames: { kind: number; payload: Buffer }[] = [];
  for await (const frame of readFrames(
    (async function* () {
      yield* bytes;
    })(),
  ))
    frames.push(frame);
  return frames;
};

test('frames arrive as they were sent, however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...Object.values(FRAME)), fc.uint8Array({ maxLength: 300 })), {
        maxLength: 12,
      }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      async (sent, cuts) => {
        const stream = new PassThrough({ highWaterMark: 1 << 20 });
        for (const [kind, payload] of sent) await writeFrame(stream, kind as FrameKind, payload);
        const whole = (stream.read() as Buffer | null) ?? Buffer.alloc(0);
        const parts: Buffer[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = cuts[i % cuts.length]!;
          parts.push(whole.subarray(at, at + size));
          at += size;
        }
        const received = await all(parts);
        expect(received.map(({ kind, payload }) => [kind, [...payload]])).toEqual(sent.map(([k, p]) => [k, [...p]]));
      },
    ),
  );
});

test('what is longer than a frame is several', async () => {
  const stream = new PassThrough();
  const parts: Buffer[] = [];
  stream.on('data', (chunk) => parts.push(chunk as Buffer));
  await writeFrame(stream, FRAME.blob, Buffer.alloc(MAX_FRAME_BYTES * 2 + 5, 1));
  expect((await all(parts)).map(({ payload }) => payload.length)).toEqual([MAX_FRAME_BYTES, MAX_FRAME_BYTES, 5]);
});

test('a frame that comes byte by byte is never held as that many objects', async () => {
  const size = 20_000;
  const bytes = Buffer.from([FRAME.blob, 0, 0, 0, 0, ...Buffer.alloc(size, 7)]);
  bytes.writeUInt32BE(size, 1);
  const concat = jest.spyOn(Buffer, 'concat');
  try {
    const frames = await all(Array.from(bytes, (byte) => Buffer.from([byte])));
    expect(frames).toEqual([{ kind: FRAME.blob, payload: Buffer.alloc(size, 7) }]);
    expect(Math.max(...concat.mock.calls.map(([list]) => list.length))).toBeLessThan(300);
  } finally {
    concat.mockRestore();
  }
});

test('anything else is refused, and nothing waits for bytes that a header only promises', async () => {
  await expect(all([Buffer.from([0, 0, 0, 0, 0])])).rejects.toThrow('kind 0');
  await expect(all([Buffer.from([99, 0, 0, 0, 0])])).rejects.toThrow('kind 99');
  await expect(all([Buffer.from([FRAME.blob, 255, 255, 255, 255])])).rejects.toThrow('4294967295 bytes');
  await expect(all([Buffer.from([FRAME.blob, 0, 0, 0, 9, 1])])).rejects.toThrow('not whole');
  await expect(all([Buffer.from([FRAME.blob])])).rejects.toThrow('not whole');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
      await all([Buffer.from(bytes)]).catch((error: Error) => expect(error.message).toMatch(/frame/));
    }),
  );
});
