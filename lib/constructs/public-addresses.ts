import ipaddr from 'ipaddr.js';

/**
 * Blocks of internal networks (private, shared, link-local, benchmarking) and blocks without hosts (multicast,
 * reserved). Source: IANA IPv4 Special-Purpose Address Registry. Its blocks that no VPC routes are left out, since each
 * costs rules.
 */
export const NOT_PUBLIC = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
] as const;

/** Rules of a security group in each direction. Source: VPC guide, quotas. */
export const RULES_PER_GROUP = 60;

interface Range {
  readonly from: number;
  readonly to: number;
}

const SIZE = 2 ** 32;

function rangeOf(block: string): Range {
  const [address, bits] = ipaddr.IPv4.parseCIDR(block);
  const value = address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - bits);
  const from = Math.floor(value / size) * size;
  return { from, to: from + size };
}

const formatBlock = (value: number, size: number) =>
  `${[24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')}/${32 - Math.log2(size)}`;

/** The fewest blocks that hold every IPv4 address outside of these ones. */
export function complementOf(closed: readonly string[]): string[] {
  const blocks: string[] = [];
  let at = 0;
  const sorted = closed.map(rangeOf).sort((a, b) => a.from - b.from);
  for (const { from, to } of [...sorted, { from: SIZE, to: SIZE }]) {
    while (at < from) {
      // The largest block that begins here and ends before the next closed one.
      let size = at === 0 ? SIZE : 2 ** trailingZeros(at);
      while (at + size > from) size /= 2;
      blocks.push(formatBlock(at, size));
      at += size;
    }
    at = Math.max(at, to);
  }
  return blocks;
}

function trailingZeros(value: number): number {
  let bits = 0;
  while (value % 2 ** (bits + 1) === 0) bits += 1;
  return bits;
}
