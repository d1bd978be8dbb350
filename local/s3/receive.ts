import { createHash } from 'node:crypto';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { AwsChunkedDecoder } from './awsChunked.ts';
import type { Segment } from './blobs.ts';
import { CHECKSUMS, type ChecksumName, createChecksum, isChecksumName } from './checksums.ts';
import { requestHeader, type S3Context } from './context.ts';

export interface Received {
  readonly segments: readonly Segment[];
  readonly size: number;
  readonly md5: Buffer;
  readonly checksum?: { readonly name: ChecksumName; readonly value: string };
}

const HEX_SHA256 = /^[0-9a-f]{64}$/;

/** How the payload is framed and how it is verified, by `x-amz-content-sha256`. */
function framingOf({ verified }: S3Context): { decoder?: AwsChunkedDecoder; sha256?: string } {
  const { payloadHash, seed } = verified;
  if (HEX_SHA256.test(payloadHash)) return { sha256: payloadHash };
  switch (payloadHash) {
    case 'UNSIGNED-PAYLOAD':
      return {};
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { decoder: new AwsChunkedDecoder() };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { decoder: new AwsChunkedDecoder(seed) };
    default:
      throw new ServiceError('InvalidArgument', 400, 'x-amz-content-sha256 has no valid value.');
  }
}

/** The checksum that the client announces: in a header, or in a trailing header that `x-amz-trailer` names. */
function announcedChecksum(context: S3Context): { name: ChecksumName; value?: string } | undefined {
  const trailer = requestHeader(context, 'x-amz-trailer')?.trim().toLowerCase();
  if (trailer?.startsWith('x-amz-checksum-')) {
    const name = trailer.slice('x-amz-checksum-'.length);
    if (!isChecksumName(name)) throw new ServiceError('NotImplemented', 501, `The checksum ${name} is not supported.`);
    return { name };
  }
  if (requestHeader(context, 'x-amz-checksum-crc64nvme') !== undefined)
    throw new ServiceError('NotImplemented', 501, 'The checksum crc64nvme is not supported.');
  for (const name of CHECKSUMS) {
    const value = requestHeader(context, `x-amz-checksum-${name}`);
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

function announcedLength(context: S3Context, chunked: boolean): number | undefined {
  const text = requestHeader(context, chunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined) {
    if (chunked) return undefined; // the end of an aws-chunked body is marked in itself
    throw new ServiceError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
  }
  if (!/^\d{1,15}$/.test(text)) throw new ServiceError('InvalidArgument', 400, 'The length is not a number.');
  return Number(text);
}

/** Writes the payload into a blob and checks its signature and checksums. Nothing is left after a failure. */
export async function receivePayload(context: S3Context): Promise<Received> {
  const { decoder, sha256 } = framingOf(context);
  const length = announcedLength(context, decoder !== undefined);
  const announced = announcedChecksum(context);
  const checksum = announced && createChecksum(announced.name);
  // One hash where both the signature and a checksum use SHA-256.
  const payloadSha = sha256 === undefined || announced?.name === 'sha256' ? undefined : createHash('sha256');
  const md5 = createHash('md5');
  const writer = context.store.blobs.writer();
  let size = 0;
  try {
    // The iterator must not destroy the request on an error: its socket still carries our answer.
    for await (const input of context.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
      for (const data of decoder ? decoder.push(input) : [input]) {
        size += data.length;
        if (length !== undefined && size > length) throw badLength();
        md5.update(data);
        payloadSha?.update(data);
        checksum?.update(data);
        await writer.write(data);
      }
    decoder?.finish();
    if (length !== undefined && size !== length) throw badLength();
    const value = checksum?.digest();
    const payload = payloadSha ? payloadSha.digest('hex') : hexOf(value);
    if (sha256 !== undefined && payload !== sha256)
      throw new ServiceError(
        'XAmzContentSHA256Mismatch',
        400,
        'The provided x-amz-content-sha256 header does not match what was computed.',
      );
    const digest = md5.digest();
    const contentMd5 = requestHeader(context, 'content-md5');
    if (contentMd5 !== undefined && contentMd5 !== digest.toString('base64'))
      throw new ServiceError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.');
    const expected = announced && (announced.value ?? decoder?.trailers.get(`x-amz-checksum-${announced.name}`));
    if (announced && expected !== value)
      throw new ServiceError(
        'BadDigest',
        400,
        `The ${announced.name} you specified did not match the calculated checksum.`,
      );
    return {
      segments: await writer.finish(),
      size,
      md5: digest,
      ...(announced && value !== undefined && { checksum: { name: announced.name, value } }),
    };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

const badLength = () =>
  new ServiceError('IncompleteBody', 400, 'The body has not the number of bytes that was announced.');

const hexOf = (base64: string | undefined) =>
  base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
