import type { Readable } from 'node:stream';

/** One line of git's wire format, or one of its marks. Source: gitprotocol-common(5), "pkt-line format". */
export type Packet = Buffer | 'flush' | 'delimiter' | 'response-end';

const MARKS: Readonly<Record<number, Packet>> = { 0: 'flush', 1: 'delimiter', 2: 'response-end' };

export const FLUSH = '0000';
export const DELIMITER = '0001';
/** A text as packet; the newline that ends it is added. */
export const formatPacket = (line: string): string =>
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

/** Cuts a stream into packets. Never holds more than one packet and one chunk of the stream. */
export class PacketReader {
  readonly #chunks: AsyncIterator<unknown>;
  #rest: Buffer;
  #at = 0;

  /** `rest` comes before the stream. */
  constructor(stream: Readable, rest: Buffer) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#rest = rest;
  }

  /** The next packet; undefined where the stream has ended. Throws on what is no packet. */
  async next(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.arrived();
      if (packet !== undefined) return packet;
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      const left = this.#rest.subarray(this.#at);
      this.#rest = left.length > 0 ? Buffer.concat([left, value as Buffer]) : (value as Buffer);
      this.#at = 0;
    }
  }

  /** The next packet, if all of it has arrived. */
  arrived(): Packet | undefined {
    const at = this.#at;
    if (this.#rest.length - at < 4) return undefined;
    const head = this.#rest.toString('latin1', at, at + 4);
    const length = /^[0-9a-f]{4}$/i.test(head) ? Number.parseInt(head, 16) : 3;
    if (length === 3) throw new Error('protocol error: bad line length');
    const end = at + Math.max(4, length);
    if (this.#rest.length < end) return undefined;
    this.#at = end;
    return MARKS[length] ?? this.#rest.subarray(at + 4, end);
  }
}
