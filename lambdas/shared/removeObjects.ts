import type { S3Calls } from './adapters/aws/clients.ts';
import { listObjects } from './listObjects.ts';

/** The most keys of one call. Source: S3 API reference, `DeleteObjects`. */
const MAX_KEYS = 1_000;

/** Removes objects by their keys. Keys without an object are no fault. */
export function keyRemover(s3: S3Calls, bucket: string): (keys: readonly string[]) => Promise<void> {
  return async (keys) => {
    const { DeleteObjectsCommand } = await import('@aws-sdk/client-s3');
    for (let i = 0; i < keys.length; i += MAX_KEYS) {
      const Objects = keys.slice(i, i + MAX_KEYS).map((Key) => ({ Key }));
      const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
      if (Errors?.[0]) throw new Error(`${Errors[0].Key} could not be removed: ${Errors[0].Code}`);
    }
  };
}

export interface RemovedObjects {
  readonly objects: number;
  readonly bytes: number;
  /** Nothing is left below the prefix. */
  readonly done: boolean;
}

/** Removes what is below a prefix, until `mayGoOn` is false. */
export async function removePrefix(
  { s3, bucket }: { readonly s3: S3Calls; readonly bucket: string },
  prefix: string,
  mayGoOn: () => boolean = () => true,
): Promise<RemovedObjects> {
  const removeKeys = keyRemover(s3, bucket);
  let found: { key: string; size: number }[] = [];
  let [objects, bytes] = [0, 0];
  const flush = async () => {
    await removeKeys(found.map(({ key }) => key));
    objects += found.length;
    bytes += found.reduce((sum, { size }) => sum + size, 0);
    found = [];
  };
  for await (const { Key = '', Size = 0 } of listObjects(s3, bucket, prefix)) {
    found.push({ key: Key, size: Size });
    if (found.length < MAX_KEYS) continue;
    await flush();
    if (!mayGoOn()) return { objects, bytes, done: false };
  }
  if (found.length > 0) await flush();
  return { objects, bytes, done: true };
}
