import type { Readable } from 'node:stream';
import type { CopyObjects } from '../../builder-images/builder-image-frontend/utils/promote.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import { listObjects } from '../shared/listObjects.ts';

/** The most keys of one call. Source: S3 API reference, `DeleteObjects`. */
const MAX_KEYS = 1_000;
const LOST_RACE = ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'];

/** The bucket with this function's own rights. `maxBytes`: builds write what is read here, so its size is limited. */
export function bucketObjects(s3: S3Calls, Bucket: string, maxBytes: number): CopyObjects {
  const sdk = () => import('@aws-sdk/client-s3');
  return {
    async get(Key) {
      const { GetObjectCommand } = await sdk();
      try {
        const {
          Body,
          ContentLength = Number.POSITIVE_INFINITY,
          ETag,
        } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        if (ContentLength > maxBytes) {
          (Body as Readable).destroy();
          throw new Error(`${Key} is larger than ${maxBytes} bytes`);
        }
        return { body: Buffer.from(await Body!.transformToString()), etag: ETag ?? '' };
      } catch (e) {
        if ((e as Error).name === 'NoSuchKey') return null;
        throw e;
      }
    },
    async putIf(Key, Body, etag) {
      const { PutObjectCommand } = await sdk();
      const condition = etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag };
      try {
        const put = { Bucket, Key, Body, ContentType: 'application/json', ...condition };
        return (await s3.send(new PutObjectCommand(put))).ETag ?? '';
      } catch (e) {
        if (LOST_RACE.includes((e as Error).name)) return null;
        throw e;
      }
    },
    async copy(from, Key) {
      const { CopyObjectCommand } = await sdk();
      const CopySource = `${Bucket}/${from}`.split('/').map(encodeURIComponent).join('/');
      await s3.send(new CopyObjectCommand({ Bucket, Key, CopySource }));
    },
    async remove(keys) {
      const { DeleteObjectsCommand } = await sdk();
      for (let i = 0; i < keys.length; i += MAX_KEYS) {
        const Objects = keys.slice(i, i + MAX_KEYS).map((Key) => ({ Key }));
        const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
        if (Errors?.[0]) throw new Error(`${Errors[0].Key} could not be removed: ${Errors[0].Code}`);
      }
    },
    async list(prefix) {
      const keys: string[] = [];
      for await (const { Key = '' } of listObjects(s3, Bucket, prefix)) keys.push(Key);
      return keys;
    },
  };
}
