import { z } from 'zod';
import { readSmallObject } from '../../../lambdas/shared/readSmallObject.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const place = { Bucket: 'b', Key: 'manifest.json' };

/** What is read of a manifest with this list in it. */
async function readList(list: string): Promise<string> {
  const s3 = memoryS3();
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new PutObjectCommand({ ...place, Body: `{"v":1,"x":[${list}]}` }));
  const schema = z.object({ v: z.literal(1) });
  return (await readSmallObject(s3, place, { schema, maxBytes: 48 * 1_024 * 1_024 })).kind;
}

test('a manifest that a builder has filled with empty lists is not read: it would end the function that reads it', async () => {
  expect(await readList('[],'.repeat(1_000_001).slice(0, -1))).toBe('unreadable');
  expect(await readList('{"p":"[a]"},'.repeat(150_000).slice(0, -1))).toBe('read');
});
