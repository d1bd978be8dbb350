import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { type Outcome, repeatWork } from '../../lambdas/shared/async.ts';
import { base64, encodeKey } from './fast-objects.ts';
import type { Objects, ObjectsAccess } from './object-calls.ts';

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '');
const isAbsent = (error: unknown) => ['NoSuchKey', 'NotFound'].includes(nameOf(error));
const isConflict = (error: unknown) => ['PreconditionFailed', 'ConditionalRequestConflict'].includes(nameOf(error));

/** Sixteen times Node's default, so that a large file is read in sixteen times fewer steps. */
const READ_AT_ONCE = 1_024 * 1_024;

/** A stream cannot be sent twice, so the SDK does not try again with one: we do, with a new stream, after these pauses. */
const PAUSES_MS = [400, 800, 1_600];

function mayPass(outcome: Outcome<unknown>): boolean {
  if (!('error' in outcome)) return false;
  const { $metadata } = outcome.error as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 500;
  return status >= 500 || status === 429;
}

/**
 * All calls by the SDK. Loading this module takes 0.1 s.
 * @param silenceMs A connection without any data for so long counts as failed, so that every call ends.
 */
export function sdkObjects(access: ObjectsAccess, silenceMs = 60_000): Objects {
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
      // `requestTimeout` would only warn, and counts the time that a large body takes.
      socketTimeout: silenceMs,
    },
  });
  const Bucket = access.bucket;
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
      // Another builder may have written it in between; if it exists, this refusal is final.
      return client.send(new s3.GetObjectCommand({ Bucket, Key }));
    }
  };
  return {
    async get(key) {
      const found = await fetchObject(key);
      const { maxBytes } = access;
      if (found && maxBytes !== undefined && !(found.ContentLength! <= maxBytes)) {
        (found.Body as Readable).destroy();
        throw new Error(`${key} is larger than ${maxBytes} bytes`);
      }
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
      if (Buffer.isBuffer(body)) await client.send(new s3.PutObjectCommand({ ...input, Body: body }));
      else
        await repeatWork(
          PAUSES_MS,
          () =>
            client.send(
              new s3.PutObjectCommand({
                ...input,
                Body: createReadStream(body.file, { highWaterMark: READ_AT_ONCE }),
                ContentLength: body.size,
              }),
            ),
          mayPass,
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
      const CopySource = encodeKey(`${Bucket}/${from}`);
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
