import type { Readable } from 'node:stream';

/** One line of git's wire format, or one of its marks. Source: gitprotocol-common(5), "pkt-line format". */
export type Packet = Buffer | 'flush' | 'delimiter' | 'response-end';

const MARKS: Readonly<Record<number, Packet>> = { 0: 'flush', 1: 'delimiter', 2: 'response-end' };

export const FLUSH = '0000';
export const DELIMITER = '0001';
/** A text as packet; the newline that ends it is added. */
export const packet = (line: string): string =>
  `${(Buffer.byteLength(line) + 5).toString(16).padStart(4, '0')}${line}\n`;

const MAX_LINE = 1_000;

/** The first line of a stream that goes on in packets, and what was read beyond it. */
export async function firstLine(stream: Readable): Promise<{ line: string; rest: Buffer }> {
  let seen: Buffer = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    seen = Buffer.concat([seen, chunk as Buffer]);
    const end = seen.indexOf(10);
    if (end >= 0) return { line: seen.toString('latin1', 0, end), rest: seen.subarray(end + 1) };
    if (seen.length > MAX_LINE) break;
  }
  throw new Error('the host ended the conversation');
}

/** Cuts a stream into packets, `rest` first. Ends where the stream ends; throws on what is no packet. */
export async function* packets(stream: Readable, rest: Buffer): AsyncGenerator<Packet, void> {
  yield* cut();
  for await (const chunk of stream) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer);
    yield* cut();
  }

  function* cut(): Generator<Packet, void> {
    while (rest.length >= 4) {
      const head = rest.toString('latin1', 0, 4);
      const length = /^[0-9a-f]{4}$/i.test(head) ? Number.parseInt(head, 16) : 3;
      if (length === 3) throw new Error('protocol error: bad line length');
      const end = Math.max(4, length);
      if (rest.length < end) break;
      yield MARKS[length] ?? rest.subarray(4, end);
      rest = rest.subarray(end);
    }
  }
}
