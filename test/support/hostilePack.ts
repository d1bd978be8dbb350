import { createHash } from 'node:crypto';
import { constants, deflateSync } from 'node:zlib';

/** Packs as only a hostile host makes them: git's own tools check what they write. Source: gitformat-pack(5). */
export class HostilePack {
  readonly #entries: Buffer[] = [];

  add(type: 'commit' | 'tree' | 'blob', content: Buffer): string {
    this.#entries.push(
      Buffer.concat([entryHead({ commit: 1, tree: 2, blob: 3 }[type], content.length), packed(content)]),
    );
    return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
  }

  /** What comes out of it is `copies` times the base's first 64 KiB, and four bytes. */
  addDelta(base: string, copies: number, end: number): void {
    const last = Buffer.alloc(5);
    last[0] = 4;
    last.writeUInt32BE(end, 1);
    // 0x80: copy from offset 0, and no size given stands for 0x10000.
    const delta = Buffer.concat([varint(65_536), varint(65_536 * copies + 4), Buffer.alloc(copies, 0x80), last]);
    this.#entries.push(Buffer.concat([entryHead(7, delta.length), Buffer.from(base, 'hex'), packed(delta)]));
  }

  /** A commit of this tree, as the last object. */
  commit(tree: string): string {
    const who = 'a <a@example.invalid> 1 +0000';
    return this.add('commit', Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nx\n`));
  }

  /** `count`: objects that it says it has; default: what it has. */
  bytes(count = this.#entries.length): Buffer {
    const head = Buffer.alloc(12);
    head.write('PACK');
    head.writeUInt32BE(2, 4);
    head.writeUInt32BE(count, 8);
    const body = Buffer.concat([head, ...this.#entries]);
    return Buffer.concat([body, createHash('sha1').update(body).digest()]);
  }
}

export const treeEntry = (mode: string, name: string | Buffer, oid: string): Buffer =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(oid, 'hex')]);

const packed = (content: Buffer) => deflateSync(content, { level: constants.Z_BEST_SPEED });

function entryHead(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let byte = (type << 4) | (size & 15);
  for (let left = Math.floor(size / 16); left > 0; left = Math.floor(left / 128)) {
    bytes.push(byte | 0x80);
    byte = left & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}

function varint(n: number): Buffer {
  const bytes: number[] = [];
  for (let left = n; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}
