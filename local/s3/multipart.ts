import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { StoredObject } from './bucketIndex.ts';
import { type ChecksumName, createChecksum, isChecksumName } from './checksums.ts';
import {
  authorizeAction,
  checkKey,
  type Operation,
  requestHeader,
  requireBucket,
  type S3Context,
  sendEmpty,
  sendXml,
} from './context.ts';
import { metadataOf, quoteEtag, writePrecondition } from './objectHeaders.ts';
import { type Received, receivePayload } from './receive.ts';
import { readXml } from './xmlBody.ts';

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly checksum: ChecksumName | undefined;
  readonly parts: Map<number, Received>;
  readonly startedAt: number;
}

/** Uploads in progress live in memory: they belong to builds, which do not outlive the platform either. */
export type Uploads = Map<string, Upload>;

const MIN_PART = 5 * 1024 * 1024;
const MAX_UPLOADS = 10_000;
/** No build takes so long: its upload is forgotten. */
const MAX_AGE_MS = 24 * 3_600_000;

const noSuchUpload = () =>
  new ServiceError(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  );

function findUpload({ uploads, query, bucket, key }: S3Context): Upload {
  const upload = uploads.get(query.get('uploadId') ?? '');
  if (!upload || upload.bucket !== bucket || upload.key !== key) throw noSuchUpload();
  return upload;
}

function dropAbandoned({ uploads, store, clock }: S3Context): void {
  for (const [id, { startedAt, parts }] of uploads) {
    if (clock.now() - startedAt < MAX_AGE_MS) break; // they are in the order of their start
    uploads.delete(id);
    for (const part of parts.values()) store.blobs.release(part.segments);
  }
}

export const createMultipartUpload: Operation = async (context) => {
  const { bucket, key, uploads, clock } = context;
  checkKey(key);
  authorizeAction(context, 's3:PutObject', key);
  requireBucket(context);
  dropAbandoned(context);
  if (uploads.size >= MAX_UPLOADS) throw new ServiceError('SlowDown', 503, 'Please reduce your request rate.');
  const name = requestHeader(context, 'x-amz-checksum-algorithm')?.toLowerCase();
  if (name !== undefined && !isChecksumName(name))
    throw new ServiceError('NotImplemented', 501, `The checksum ${name} is not supported.`);
  const uploadId = randomBytes(24).toString('base64url');
  uploads.set(uploadId, {
    bucket,
    key,
    headers: metadataOf(context),
    checksum: name,
    parts: new Map(),
    startedAt: clock.now(),
  });
  sendXml(context, 'InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: uploadId });
};

export const uploadPart: Operation = async (context) => {
  authorizeAction(context, 's3:PutObject', context.key);
  const number = Number(context.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new ServiceError('InvalidArgument', 400, 'Part number must be an integer between 1 and 10000, inclusive');
  findUpload(context);
  const part = await receivePayload(context);
  const upload = context.uploads.get(context.query.get('uploadId')!);
  if (!upload) {
    context.store.blobs.release(part.segments); // aborted or completed while the part came in
    throw noSuchUpload();
  }
  const before = upload.parts.get(number);
  upload.parts.set(number, part);
  if (before) context.store.blobs.release(before.segments);
  sendEmpty(context, 200, {
    etag: quoteEtag(part.md5.toString('hex')),
    ...(part.checksum && { [`x-amz-checksum-${part.checksum.name}`]: part.checksum.value }),
  });
};

export const abortMultipartUpload: Operation = async (context) => {
  authorizeAction(context, 's3:AbortMultipartUpload', context.key);
  const upload = findUpload(context);
  context.uploads.delete(context.query.get('uploadId')!);
  for (const part of upload.parts.values()) context.store.blobs.release(part.segments);
  sendEmpty(context, 204);
};

const Complete = z.object({
  CompleteMultipartUpload: z.object({
    Part: z
      .array(
        z.object({
          PartNumber: z
            .string()
            .regex(/^\d{1,5}$/)
            .transform(Number),
          ETag: z.string(),
        }),
      )
      .min(1)
      .max(10_000),
  }),
});

/** The object is its parts in a row: nothing is copied. */
export const completeMultipartUpload: Operation = async (context) => {
  const { bucket, key, store, uploads, query, clock } = context;
  authorizeAction(context, 's3:PutObject', key);
  findUpload(context);
  const wanted = (await readXml(context, Complete)).CompleteMultipartUpload.Part;
  const upload = findUpload(context);
  const chosen = wanted.map(({ PartNumber, ETag }, i) => {
    const part = upload.parts.get(PartNumber);
    if (!part || part.md5.toString('hex') !== ETag.replaceAll('"', '')) throw invalidPart();
    if (i > 0 && PartNumber <= wanted[i - 1]!.PartNumber)
      throw new ServiceError('InvalidPartOrder', 400, 'The list of parts was not in ascending order.');
    if (i < wanted.length - 1 && part.size < MIN_PART)
      throw new ServiceError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size');
    return part;
  });

  uploads.delete(query.get('uploadId')!);
  const object = assembleObject(upload, chosen, clock.now());
  const unused = [...upload.parts.values()].filter((part) => !chosen.includes(part));
  for (const part of unused) store.blobs.release(part.segments);
  await store.put(bucket, key, object, writePrecondition(context));
  sendXml(context, 'CompleteMultipartUploadResult', {
    Location: `/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: quoteEtag(object.etag),
  });
};

const invalidPart = () =>
  new ServiceError(
    'InvalidPart',
    400,
    'One or more of the specified parts could not be found or its entity tag did not match.',
  );

/** Entity tag and checksum of the parts' digests, with the number of parts behind, as S3 makes them. */
function assembleObject(upload: Upload, parts: readonly Received[], modified: number): StoredObject {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(part.md5);
  const name = upload.checksum;
  const whole = name && parts.every((p) => p.checksum?.name === name) ? createChecksum(name) : undefined;
  for (const part of parts) whole?.update(Buffer.from(part.checksum!.value, 'base64'));
  return {
    size: parts.reduce((sum, p) => sum + p.size, 0),
    etag: `${md5.digest('hex')}-${parts.length}`,
    modified,
    headers: upload.headers,
    segments: parts.flatMap((p) => p.segments),
    ...(whole && name && { checksum: { name, value: `${whole.digest()}-${parts.length}`, type: 'COMPOSITE' } }),
  };
}
