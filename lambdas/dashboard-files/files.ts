import { z } from 'zod';
import { DASHBOARD_LIST } from '../../contract/names.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';

/** The list of what the function is packed with, in the order of uploading: pages come after what they load. */
const ListSchema = z.array(z.object({ key: z.string().min(1), type: z.string(), cacheControl: z.string() })).min(1);

export interface FilesDeps {
  readonly s3: S3Calls;
  readonly bucket: string;
  /** A file that the function is packed with. */
  readonly read: (name: string) => Promise<Uint8Array>;
}

/** Puts every file, one after the other. Safe to repeat; what is there from earlier versions stays. @returns their number */
export async function uploadFiles({ s3, bucket, read }: FilesDeps): Promise<number> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const list = ListSchema.parse(JSON.parse(new TextDecoder().decode(await read(DASHBOARD_LIST))));
  for (const { key, type, cacheControl } of list)
    await s3.send(
      new PutObjectCommand({
        ...{ Bucket: bucket, Key: key, Body: await read(key) },
        ...{ ContentType: type, CacheControl: cacheControl },
      }),
    );
  return list.length;
}

/** Empties the bucket. @returns how many objects there were */
export async function removeFiles({ s3, bucket }: Pick<FilesDeps, 's3' | 'bucket'>): Promise<number> {
  const { ListObjectsV2Command, DeleteObjectsCommand } = await import('@aws-sdk/client-s3');
  for (let removed = 0; ; ) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) return removed;
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }),
    );
    if (Errors[0]) throw new Error(`${Errors[0].Key} could not be removed: ${Errors[0].Code}`);
    removed += Contents.length;
  }
}
