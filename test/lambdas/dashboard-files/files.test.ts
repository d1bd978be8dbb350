import { DASHBOARD_LIST } from '../../../contract/names.ts';
import { createFiles, removeFiles, uploadFiles } from '../../../lambdas/dashboard-files/files.ts';
import type { S3Calls } from '../../../lambdas/shared/adapters/aws/clients.ts';

const LIST = [
  { key: 'dashboard/assets/main-1.js', type: 'text/javascript; charset=utf-8', cacheControl: 'immutable' },
  { key: 'dashboard/index.html', type: 'text/html; charset=utf-8', cacheControl: 'no-cache' },
];
const read = async (name: string) => Buffer.from(name === DASHBOARD_LIST ? JSON.stringify(LIST) : `content of ${name}`);

/** A bucket that knows three calls, and what it was sent. */
function bucketDouble(keys: string[] = []) {
  const sent: Record<string, unknown>[] = [];
  const send = async ({ constructor: { name }, input }: { constructor: { name: string }; input: never }) => {
    const { Body, Delete, ...rest } = input as { Body?: Uint8Array; Delete?: { Objects: { Key: string }[] } };
    sent.push({ name, ...rest, ...(Body && { Body: Buffer.from(Body).toString() }) });
    if (name === 'PutObjectCommand') return {};
    if (name === 'ListObjectsV2Command') return { Contents: keys.slice(0, 2).map((Key) => ({ Key })) };
    if (name !== 'DeleteObjectsCommand') throw new Error(`an unexpected ${name}`);
    for (const { Key } of Delete!.Objects) keys.splice(keys.indexOf(Key), 1);
    return Delete!.Objects.some(({ Key }) => Key === 'kept') ? { Errors: [{ Key: 'kept', Code: 'AccessDenied' }] } : {};
  };
  return { sent, s3: { send } as unknown as S3Calls, bucket: 'b' };
}

test('every file is put as it is listed, what pages load before the pages', async () => {
  const { sent, ...target } = bucketDouble();
  expect(await uploadFiles({ ...target, read })).toBe(2);
  expect(sent).toEqual(
    LIST.map(({ key, type, cacheControl }) => ({
      ...{ name: 'PutObjectCommand', Bucket: 'b', Key: key, Body: `content of ${key}` },
      ...{ ContentType: type, CacheControl: cacheControl },
    })),
  );
});

test('the bucket is emptied before it is removed, and a file that stays is told', async () => {
  const { sent: _, ...target } = bucketDouble(['a', 'b', 'c']);
  expect(await removeFiles(target)).toBe(3);
  await expect(removeFiles(bucketDouble(['kept']))).rejects.toThrow('kept could not be removed: AccessDenied');
});

/** A bucket that takes a page only after some failures. */
function failingBucket(failures: number) {
  const keys: string[] = [];
  const { s3, bucket } = bucketDouble(keys);
  const send = async (command: { constructor: { name: string }; input: { Key: string } }) => {
    const isPut = command.constructor.name === 'PutObjectCommand';
    if (isPut && command.input.Key.endsWith('.html') && failures-- > 0) throw new Error('SlowDown');
    if (isPut) keys.push(command.input.Key);
    return s3.send(command as never);
  };
  return { keys, bucket, s3: { send } as unknown as S3Calls };
}

test('a file that fails is tried again, and a new stack that could not have all files keeps none', async () => {
  const once = failingBucket(1);
  expect(await createFiles({ ...once, read })).toBe(2);
  expect(once.keys).toEqual(LIST.map(({ key }) => key));
  const never = failingBucket(9);
  await expect(createFiles({ ...never, read })).rejects.toThrow('SlowDown');
  expect(never.keys).toEqual([]);
});
