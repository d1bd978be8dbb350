import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * What goes over the socket between the two containers of a Dockerfile's build: a byte for the kind, four for the length, the
 * payload. `job`, `context` and `contextEnd` go to the isolated one, the rest comes from it.
 */
export const FRAME = {
  job: 1,
  context: 2,
  contextEnd: 3,
  stdout: 4,
  stderr: 5,
  ended: 6,
  manifest: 7,
  blob: 8,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** The manifest of an image is one frame. */
export const MAX_FRAME_BYTES = 1_048_576;
const HEADER_BYTES = 5;
const MAX_PARTS = 256;
const KINDS: ReadonlySet<number> = new Set(Object.values(FRAME));

/** Waits while the other side does not read. */
export async function writeFrame(to: Writable, kind: FrameKind, payload: Uint8Array = new Uint8Array()): Promise<void> {
  for (let at = 0; at === 0 || at < payload.length; at += MAX_FRAME_BYTES) {
    const part = payload.subarray(at, at + MAX_FRAME_BYTES);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(kind, 0);
    header.writeUInt32BE(part.length, 1);
    to.write(header);
    if (!to.write(part)) await roomIn(to);
  }
}

async function roomIn(to: Writable): Promise<void> {
  if (to.destroyed) throw new Error('the other side is gone');
  const done = new AbortController();
  const { signal } = done;
  try {
    // A socket that is destroyed here drains no more, and tells of no error.
    await Promise.race([once(to, 'drain', { signal }), once(to, 'close', { signal })]);
  } finally {
    done.abort();
  }
  if (to.destroyed) throw new Error('the other side is gone');
}

/** Throws where the bytes are no frames: never more than one frame and one chunk are in memory. */
export async function* readFrames(from: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let parts: Buffer[] = [];
  let held = 0;
  const wanted = { bytes: HEADER_BYTES, kind: 0 };
  for await (const chunk of from) {
    parts.push(chunk);
    held += chunk.length;
    // Bytes that come one by one take a hundred times their memory as objects.
    if (parts.length > MAX_PARTS) parts = [Buffer.concat(parts, held)];
    while (held >= wanted.bytes) {
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, held);
      const whole = all.subarray(0, wanted.bytes);
      parts = [all.subarray(wanted.bytes)];
      held -= wanted.bytes;
      if (wanted.kind === 0) {
        wanted.kind = whole.readUInt8(0);
        wanted.bytes = whole.readUInt32BE(1);
        if (!KINDS.has(wanted.kind)) throw new Error(`no frame has the kind ${wanted.kind}`);
        if (wanted.bytes > MAX_FRAME_BYTES) throw new Error(`a frame has ${wanted.bytes} bytes`);
      } else {
        yield { kind: wanted.kind as FrameKind, payload: Buffer.from(whole) };
        wanted.kind = 0;
        wanted.bytes = HEADER_BYTES;
      }
    }
  }
  if (held > 0 || wanted.kind !== 0) throw new Error('the last frame is not whole');
}
