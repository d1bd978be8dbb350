/** Kafka's primitive types. Source: Apache Kafka protocol guide, "Protocol Primitive Types". */

/** Reads untrusted bytes: every access is checked, and a wrong length is an error, never an allocation. */
export class WireReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get remaining(): number {
    return this.#buffer.length - this.#at;
  }

  bytes(length: number): Buffer {
    if (length < 0 || length > this.remaining) throw new RangeError('A length points behind the end of the frame.');
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  int8(): number {
    return this.bytes(1).readInt8();
  }
  int16(): number {
    return this.bytes(2).readInt16BE();
  }
  int32(): number {
    return this.bytes(4).readInt32BE();
  }
  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }
  int64(): bigint {
    return this.bytes(8).readBigInt64BE();
  }

  string(): string {
    return this.bytes(this.int16()).toString('utf8');
  }

  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.bytes(length).toString('utf8');
  }

  nullableBytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.bytes(length);
  }

  /** Null where the array is absent. Every element must take at least one byte, so the frame bounds the count. */
  array<T>(element: () => T): T[] | null {
    const count = this.int32();
    if (count > this.remaining) throw new RangeError('An array is longer than its frame.');
    return count < 0 ? null : Array.from({ length: count }, element);
  }

  /** Zigzag, base 128, at most 64 bits. */
  varlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw new RangeError('A variable-length number is too long.');
  }

  varint(): number {
    const value = this.varlong();
    if (value !== BigInt.asIntN(32, value)) throw new RangeError('A variable-length number is too large.');
    return Number(value);
  }

  /** Bytes behind a varint length; null for -1. */
  varbytes(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.bytes(length);
  }
}

export class WireWriter {
  readonly #parts: Buffer[] = [];

  #number(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.allocUnsafe(size);
    write(buffer);
    this.#parts.push(buffer);
    return this;
  }

  int8(value: number): this {
    return this.#number(1, (b) => b.writeInt8(value));
  }
  int16(value: number): this {
    return this.#number(2, (b) => b.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.#number(4, (b) => b.writeInt32BE(value));
  }
  int64(value: bigint): this {
    return this.#number(8, (b) => b.writeBigInt64BE(value));
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value);
    this.int16(bytes.length).#parts.push(bytes);
    return this;
  }

  bytes(value: Buffer): this {
    this.int32(value.length).#parts.push(value);
    return this;
  }

  array<T>(values: readonly T[], element: (value: T) => unknown): this {
    this.int32(values.length);
    for (const value of values) element(value);
    return this;
  }

  /** Everything so far behind its length, as a frame goes over the wire. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
}
