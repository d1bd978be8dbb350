import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { encodeKey, fastPut } from './fast-put.ts';

/** What publishing needs of S3: the calls, with our settings, and the two answers that are not failures told apart. */
export interface Objects {
  /** Null where there is none. */
  get(key: string): Promise<{ body: Buffer; etag: string } | null>;
  /** The body as a stream; null where there is none. */
  stream(key: string): Promise<Readable | null>;
  put(key: string, body: Buffer | { readonly file: string; readonly size: number }, meta: ObjectMeta): Promise<void>;
  /** Writes where the object is still the one of `etag` (null: there is still none). Null where it is not; else the new ETag. */
  putIf(key: string, body: string, etag: string | null): Promise<string | null>;
  copy(from: string, to: string): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

export interface ObjectMeta {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly encoding?: 'br' | 'gzip' | undefined;
  /** Hex; S3 refuses a body that does not match. */
  readonly sha256: string;
}

export interface ObjectsAccess {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent for keys that are not temporary. */
  readonly sessionToken: string | undefined;
  /** AWS_ENDPOINT_URL_S3: an endpoint other than AWS's. */
  readonly endpoint?: string | undefined;
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '');
const isAbsent = (error: unknown) => ['NoSuchKey', 'NotFound'].includes(nameOf(error));
const isConflict = (error: unknown) => ['PreconditionFailed', 'ConditionalRequestConflict'].includes(nameOf(error));
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

/** A stream cannot be sent twice, so the SDK does not try again with one: we do, with a new stream. */
async function withRetries<T>(attempts: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 500;
      if (attempt >= attempts || (status < 500 && status !== 429)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
    }
}

/** This module holds the SDK, so it is imported lazily, not at the builder's start. */
export function s3Objects(access: ObjectsAccess): Objects {
  const client = new s3.S3Client({
    region: access.region,
    credentials: {
      accessKeyId: access.accessKeyId,
      secretAccessKey: access.secretAccessKey,
      ...(access.sessionToken !== undefined && { sessionToken: access.sessionToken }),
    },
    ...(access.endpoint && { endpoint: access.endpoint, forcePathStyle: true }),
    maxAttempts: 5,
    // We give SHA-256 ourselves, which S3 checks: a second checksum would only cost time.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: { maxSockets: 128, keepAlive: true },
      httpsAgent: { maxSockets: 128, keepAlive: true },
      connectionTimeout: 5_000,
      requestTimeout: 60_000,
    },
  });
  const Bucket = access.bucket;
  const fast = fastPut({ ...access, endpoint: access.endpoint, now: Date.now });
  const isThere = async (Key: string) => {
    const found = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 }));
    return found.Contents?.[0]?.Key === Key;
  };
  const fetchObject = async (Key: string) => {
    try {
      return await client.send(new s3.GetObjectCommand({ Bucket, Key }));
    } catch (error) {
      if (isAbsent(error)) return null;
      // S3 says "not found" only to those who may list the whole bucket, which a build may not: it may list its prefixes.
      if (nameOf(error) !== 'AccessDenied') throw error;
      if (!(await isThere(Key))) return null;
      // Another builder has written it in between; where it has not, this one's refusal is real.
      return client.send(new s3.GetObjectCommand({ Bucket, Key }));
    }
  };
  return {
    async get(key) {
      const found = await fetchObject(key);
      return found && { body: Buffer.from(await found.Body!.transformToByteArray()), etag: found.ETag ?? '' };
    },
    async stream(key) {
      const found = await fetchObject(key);
      return found && (found.Body as Readable);
    },
    async put(key, body, meta) {
      const input = {
        Bucket,
        Key: key,
        ContentType: meta.contentType,
        CacheControl: meta.cacheControl,
        ContentEncoding: meta.encoding,
        ChecksumSHA256: base64(meta.sha256),
      };
      if (Buffer.isBuffer(body)) {
        const headers = {
          'content-type': meta.contentType,
          ...(meta.cacheControl && { 'cache-control': meta.cacheControl }),
          ...(meta.encoding && { 'content-encoding': meta.encoding }),
          'x-amz-checksum-sha256': base64(meta.sha256),
        };
        if (await fast?.put(key, headers, body, meta.sha256)) return;
        await client.send(new s3.PutObjectCommand({ ...input, Body: body }));
      } else
        await withRetries(4, () =>
          client.send(
            new s3.PutObjectCommand({ ...input, Body: createReadStream(body.file), ContentLength: body.size }),
          ),
        );
    },
    async putIf(key, body, etag) {
      try {
        const put = { Bucket, Key: key, Body: body, ContentType: 'application/json' };
        const condition = etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag };
        return (await client.send(new s3.PutObjectCommand({ ...put, ...condition }))).ETag ?? '';
      } catch (error) {
        if (isConflict(error) || isAbsent(error)) return null;
        throw error;
      }
    },
    async copy(from, to) {
      const source = `${Bucket}/${from}`;
      if (await fast?.copy(source, to)) return;
      const CopySource = encodeKey(source);
      await client.send(new s3.CopyObjectCommand({ Bucket, Key: to, CopySource }));
    },
    async remove(keys) {
      for (let i = 0; i < keys.length; i += 1_000) {
        const Objects = keys.slice(i, i + 1_000).map((Key) => ({ Key }));
        const answer = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
        const failed = answer.Errors?.[0];
        if (failed) throw new Error(`${failed.Key} could not be removed: ${failed.Code}`);
      }
    },
    async list(prefix) {
      const keys: string[] = [];
      for await (const page of s3.paginateListObjectsV2({ client }, { Bucket, Prefix: prefix }))
        for (const object of page.Contents ?? []) keys.push(object.Key!);
      return keys;
    },
  };
}
