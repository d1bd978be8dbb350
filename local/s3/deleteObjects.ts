import { z } from 'zod';
import { isPermitted, type Operation, requireBucket, sendXml } from './context.ts';
import { readXml } from './xmlBody.ts';

const Delete = z.object({
  Delete: z.object({
    Quiet: z.string().optional(),
    Object: z
      .array(z.object({ Key: z.string().min(1) }))
      .min(1)
      .max(1_000),
  }),
});

/** Each key is judged by itself: a forbidden one is an error in the answer, the others are deleted. */
export const deleteObjects: Operation = async (context) => {
  requireBucket(context);
  const { Object: entries, Quiet: quiet } = (await readXml(context, Delete)).Delete;
  const keys = entries.map((e) => e.Key);
  const allowed = keys.filter((key) => isPermitted(context, 's3:DeleteObject', key));
  await Promise.all(allowed.map((key) => context.store.delete(context.bucket, key)));
  sendXml(context, 'DeleteResult', {
    Deleted: quiet === 'true' ? [] : allowed.map((key) => ({ Key: key })),
    Error: keys
      .filter((key) => !allowed.includes(key))
      .map((key) => ({ Key: key, Code: 'AccessDenied', Message: 'Access Denied' })),
  });
};
