import { pipeline } from 'node:stream/promises';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { StoredObject } from './bucketIndex.ts';
import {
  authorizeAction,
  checkKey,
  noSuchKey,
  type Operation,
  requestHeader,
  requireBucket,
  type S3Context,
  sendEmpty,
} from './context.ts';
import { headersOf, httpDate, isNotModified, metadataOf, quoteEtag, writePrecondition } from './objectHeaders.ts';
import { parseRange } from './range.ts';
import { receivePayload } from './receive.ts';

export const putObject: Operation = async (context) => {
  const { bucket, key, store, clock } = context;
  checkKey(key);
  authorizeAction(context, 's3:PutObject', key);
  requireBucket(context);
  const headers = metadataOf(context);
  const received = await receivePayload(context);
  const { checksum, segments, size } = received;
  const etag = received.md5.toString('hex');
  await store.put(
    bucket,
    key,
    {
      size,
      etag,
      modified: clock.now(),
      headers,
      segments,
      ...(checksum && { checksum: { ...checksum, type: 'FULL_OBJECT' } }),
    },
    writePrecondition(context),
  );
  sendEmpty(context, 200, {
    etag: quoteEtag(etag),
    ...(checksum && { [`x-amz-checksum-${checksum.name}`]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' }),
  });
};

async function sendObject(context: S3Context, withBody: boolean): Promise<void> {
  const { bucket, key, store, response } = context;
  checkKey(key);
  authorizeAction(context, 's3:GetObject', key);
  requireBucket(context);
  for (let attempt = 1; ; attempt++) {
    const object = store.get(bucket, key);
    if (!object) throw noSuchKey(context);
    if (isNotModified(context, object)) {
      response.writeHead(304, { etag: quoteEtag(object.etag), 'last-modified': httpDate(object.modified) }).end();
      return;
    }
    const range = parseRange(requestHeader(context, 'range'), object.size);
    if (range === 'unsatisfiable')
      throw new ServiceError('InvalidRange', 416, 'The requested range is not satisfiable', {
        ActualObjectSize: String(object.size),
      });
    const { start, end } = range ?? { start: 0, end: object.size - 1 };
    const headers = {
      ...headersOf(context, object),
      'content-length': String(end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${object.size}` }),
    };
    const status = range ? 206 : 200;
    if (!withBody || object.size === 0) {
      response.writeHead(status, headers).end();
      return;
    }
    const body = await openRange(context, object, start, end, attempt);
    if (!body) continue;
    response.writeHead(status, headers);
    await pipeline(body, response);
    return;
  }
}

/** Undefined: the object was replaced between looking it up and opening it. */
async function openRange({ store }: S3Context, object: StoredObject, start: number, end: number, attempt: number) {
  try {
    return await store.blobs.read(object.segments, start, end);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && attempt < 10) return undefined;
    throw error;
  }
}

export const getObject: Operation = (context) => sendObject(context, true);
export const headObject: Operation = (context) => sendObject(context, false);

export const deleteObject: Operation = async (context) => {
  checkKey(context.key);
  authorizeAction(context, 's3:DeleteObject', context.key);
  requireBucket(context);
  const conditional = requestHeader(context, 'if-match') !== undefined;
  await context.store.delete(context.bucket, context.key, conditional ? writePrecondition(context) : undefined);
  sendEmpty(context, 204);
};
