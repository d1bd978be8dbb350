import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DASHBOARD_LIST } from '../../contract/names.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';

/** Before a file is tried again, longer than the client itself waits. */
const PAUSES_MS = [250, 1_000];

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
  for (const { key, type, cacheControl } of list) {
    const file = {
      ...{ Bucket: bucket, Key: key, Body: await read(key) },
      ...{ ContentType: type, CacheControl: cacheControl },
    };
    for (let tries = 0; ; tries++)
      try {
        await s3.send(new PutObjectCommand(file));
        break;
      } catch (error) {
        const pause = PAUSES_MS[tries];
        if (pause === undefined) throw error;
        await sleep(pause);
      }
  }
  return list.length;
}

/**
 * Puts the files of a new stack, or leaves none: CDK's provider does not call the function to delete what it could not
 * create, and CloudFormation's rollback removes empty buckets only. @returns their number. Throws what made it fail.
 */
export async function createFiles(deps: FilesDeps): Promise<number> {
  try {
    return await uploadFiles(deps);
  } catch (error) {
    await removeFiles(deps).catch((cause) => {
      throw new AggregateError([error, cause], `${messageOf(error)}; and then: ${messageOf(cause)}`);
    });
    throw error;
  }
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

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
