import type { Readable } from 'node:stream';
import { Budget, tooLarge } from './excess.ts';
import { type Packet, PacketReader } from './pktLine.ts';

/**
 * Lines of the protocol: capabilities, refs, acknowledgments. Git's servers send up to 65,516 bytes, but only packs and
 * progress need them; the longest regular line is a ref and what it points at.
 */
const MAX_LINE = 1_024;
/** Limit for everything except the pack: enough for 100,000 branches that begin with the same name. */
const MAX_TALK = 16 * 1024 * 1024;

const formatMib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;

/**
 * Reads the host's answers, counts every byte and keeps nothing. Throws REPO_TOO_LARGE, or an Error with git's message.
 */
export class Conversation {
  readonly #packets: PacketReader;
  readonly #bytes: Budget;
  readonly #talk = new Budget(MAX_TALK, `the git host sent more than ${formatMib(MAX_TALK)} beside the files`);

  /** `rest` was read before. */
  constructor(stream: Readable, rest: Buffer, maxBytes: number) {
    this.#packets = new PacketReader(stream, rest);
    this.#bytes = new Budget(maxBytes, `more than ${formatMib(maxBytes)} would have to be read to know what is in it`);
  }

  /** Calls `use` with every line before the mark. */
  async lines(mark: 'flush' | 'delimiter', use: (line: string) => void): Promise<void> {
    for (let item = await this.#next(); item !== mark; item = await this.#next()) use(this.#line(item));
  }

  async line(): Promise<string> {
    return this.#line(await this.#next());
  }

  async expect(mark: Packet): Promise<void> {
    if ((await this.#next()) !== mark) throw new Error('protocol error: unexpected packet');
  }

  /** Calls `write` with the pack, in pieces of what has arrived together, until the mark that ends it. */
  async pack(write: (bytes: Buffer) => Promise<void>): Promise<void> {
    for (let item: Packet | undefined = await this.#next(); item !== 'flush'; item = await this.#next()) {
      const pieces: Buffer[] = [];
      for (; item !== undefined && item !== 'flush'; item = this.#arrived()) pieces.push(...this.#piece(item));
      if (pieces.length > 0) await write(Buffer.concat(pieces));
      if (item === 'flush') return;
    }
  }

  /** Side band: 1 is the pack, 2 is progress, 3 is the host's final error. Source: gitprotocol-v2(5), `packfile`. */
  #piece(item: Packet): readonly Buffer[] {
    if (!Buffer.isBuffer(item) || item.length === 0) throw new Error('protocol error: unexpected packet');
    if (item[0] === 3) throw new Error(item.toString('utf8', 1, MAX_LINE).trim());
    if (item[0] === 1) return [item.subarray(1)];
    this.#talk.spend(item.length + 4);
    return [];
  }

  #line(item: Packet): string {
    if (!Buffer.isBuffer(item) || item.length === 0) throw new Error('protocol error: unexpected packet');
    this.#talk.spend(item.length + 4);
    if (item.length > MAX_LINE) throw tooLarge(`the git host sent a line of more than ${MAX_LINE} bytes`);
    return item.toString('utf8').replace(/\n$/, '');
  }

  async #next(): Promise<Packet> {
    const item = await this.#packets.next();
    if (item === undefined) throw new Error('the host ended the conversation');
    return this.#counted(item);
  }

  #arrived(): Packet | undefined {
    const item = this.#packets.arrived();
    return item === undefined ? undefined : this.#counted(item);
  }

  #counted(item: Packet): Packet {
    this.#bytes.spend(4);
    if (!Buffer.isBuffer(item)) return item;
    this.#bytes.spend(item.length);
    if (item.subarray(0, 4).toString('latin1') === 'ERR ') throw new Error(item.toString('utf8', 4, MAX_LINE).trim());
    return item;
  }
}
