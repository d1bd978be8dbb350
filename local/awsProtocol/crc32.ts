/** Running CRC-32 of the reflected polynomial; start with 0. `zlib.crc32` exists only from Node 20.15 and 22.2 on. */
export type Crc = (data: Uint8Array, previous?: number) => number;

function createCrc(polynomial: number): Crc {
  const table = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? polynomial ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  return (data, previous = 0) => {
    let c = ~previous;
    for (let i = 0; i < data.length; i++) c = table[(c ^ data[i]!) & 0xff]! ^ (c >>> 8);
    return ~c >>> 0;
  };
}

/** CRC-32 as zip and Ethernet have it. */
export const crc32 = createCrc(0xedb88320);
/** CRC-32C (Castagnoli): Kafka's record batches, and one of S3's checksums. */
export const crc32c = createCrc(0x82f63b78);
