import { createHash } from 'node:crypto';
import { type Crc, crc32, crc32c } from '../awsProtocol/crc32.ts';

export const CHECKSUMS = ['crc32', 'crc32c', 'sha1', 'sha256'] as const;
export type ChecksumName = (typeof CHECKSUMS)[number];
export const isChecksumName = (name: string): name is ChecksumName => (CHECKSUMS as readonly string[]).includes(name);

/** A running checksum; the digest is base64, as in `x-amz-checksum-…`. */
export interface Checksum {
  update(data: Uint8Array): void;
  digest(): string;
}

function runningChecksum(crc: Crc): Checksum {
  let value = 0;
  return {
    update(data) {
      value = crc(data, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes.toString('base64');
    },
  };
}

export function createChecksum(name: ChecksumName): Checksum {
  if (name === 'crc32') return runningChecksum(crc32);
  if (name === 'crc32c') return runningChecksum(crc32c);
  const hash = createHash(name);
  return { update: (data) => void hash.update(data), digest: () => hash.digest('base64') };
}
