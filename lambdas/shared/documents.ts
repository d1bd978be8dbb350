import type { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';
import { asAwsOutage } from './adapters/aws/awsOutage.ts';
import type { S3Calls } from './adapters/aws/clients.ts';

/** A JSON object of the bucket that several processes change: only by conditional writes, so that no change is lost. */
export interface Documents {
  /** Null where there is none. Throws where it is there and cannot be read: it must not be taken for absent. */
  read<T>(key: string, schema: z.ZodType<T>): Promise<T | null>;
  /** False where there is one already. */
  create(key: string, value: unknown): Promise<boolean>;
  /**
   * Replaces the document by what `change` makes of it, as one step; asked again where another writer was faster.
   * `change` gives null for no document yet, and returns the same value (`===`) to leave everything as it is.
   */
  change<T>(key: string, schema: z.ZodType<T>, change: (before: T | null) => T | null): Promise<T | null>;
}

/** Writers of one document at the same moment; each of them needs one more try at most. */
const MAX_TRIES = 50;

/** Conditional writes. Source: S3 user guide, "Conditional writes": 412 PreconditionFailed, 409 for a race. */
const LOST_RACE = new Set(['PreconditionFailed', 'ConditionalRequestConflict']);

const STORAGE = 'the object storage';

/** Throws UNAVAILABLE where the storage does not answer. */
export function openDocuments(s3: S3Calls, bucket: string): Documents {
  const readWithTag = async <T>(Key: string, schema: z.ZodType<T>) => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      return { value: schema.parse(JSON.parse(await Body!.transformToString())), tag: ETag };
    } catch (e) {
      if ((e as Error).name === 'NoSuchKey') return null;
      throw asAwsOutage(STORAGE, e);
    }
  };
  /** False where somebody else has written since. */
  const write = async (
    Key: string,
    value: unknown,
    condition: { IfMatch: string | undefined } | { IfNoneMatch: '*' },
  ) => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const put = { Bucket: bucket, Key, Body: JSON.stringify(value), ContentType: 'application/json', ...condition };
    try {
      await s3.send(new PutObjectCommand(put));
      return true;
    } catch (e) {
      // A document that was removed meanwhile answers 404 to If-Match.
      if (LOST_RACE.has((e as Error).name) || (e as Error).name === 'NoSuchKey') return false;
      throw asAwsOutage(STORAGE, e);
    }
  };
  return {
    read: async (key, schema) => (await readWithTag(key, schema))?.value ?? null,
    create: (key, value) => write(key, value, { IfNoneMatch: '*' }),
    async change(key, schema, change) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const before = await readWithTag(key, schema);
        const after = change(before?.value ?? null);
        if (after === null || after === before?.value) return after;
        if (await write(key, after, before ? { IfMatch: before.tag } : { IfNoneMatch: '*' })) return after;
      }
      throw new VerenError('UNAVAILABLE', { reason: 'too many writers of one document' });
    },
  };
}
