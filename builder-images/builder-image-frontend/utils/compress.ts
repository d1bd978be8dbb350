import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { isCompressible } from './content.ts';

/** Below what a request costs anyway (a first flight of TCP carries 14 kB) a variant saves nothing that a visitor notices. */
const MIN_SIZE = 4_096;
/** A variant has to save so much of its original, or it is only one object more to upload and keep. */
const MIN_SAVED_BYTES = 4_096;
const MIN_SAVED_SHARE = 0.2;
/** Larger originals would cost more build time than they save. */
const MAX_SIZE = 8 * 1_024 * 1_024;

/** Level 5 is within a few per cent of 11 for scripts, at a thirtieth of its time. */
const compressBrotli = (body: Buffer) =>
  promisify(brotliCompress)(body, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
const compressGzip = (body: Buffer) => promisify(gzip)(body, { level: 6 });

export interface Variant {
  readonly encoding: 'br' | 'gzip';
  readonly body: Buffer;
}

/** The precompressed variants of a body that pay: both, since browsers offer `br` over HTTPS only. */
export async function compressVariants(body: Buffer, contentType: string): Promise<Variant[]> {
  if (body.length < MIN_SIZE || body.length > MAX_SIZE || !isCompressible(contentType)) return [];
  const [br, gzipped] = await Promise.all([compressBrotli(body), compressGzip(body)]);
  const made: Variant[] = [
    { encoding: 'br', body: br },
    { encoding: 'gzip', body: gzipped },
  ];
  return made.filter(
    (variant) => body.length - variant.body.length >= Math.max(MIN_SAVED_BYTES, body.length * MIN_SAVED_SHARE),
  );
}
