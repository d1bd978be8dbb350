import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { S3Calls } from './adapters/aws/clients.ts';

/** The result: the object's content, that there is no object, or that its content is not valid. */
export type SmallObject<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' };

/**
 * Reads a JSON object that a build may have written with any size and content. It reads at most `maxBytes` and does not
 * throw for a bad content, so that the caller can end that build instead of meeting the same exception again and again.
 */
export async function readSmallObject<T>(
  s3: S3Calls,
  place: { readonly Bucket: string; readonly Key: string },
  { schema, maxBytes }: { readonly schema: z.ZodType<T>; readonly maxBytes: number },
): Promise<SmallObject<T>> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const { Body, ContentLength } = await s3.send(new GetObjectCommand(place));
    if (!Body || ContentLength === undefined || ContentLength > maxBytes) {
      (Body as Readable | undefined)?.destroy();
      return { kind: 'unreadable' };
    }
    const parsed = schema.safeParse(parseJson(await Body.transformToString()));
    return parsed.success ? { kind: 'read', value: parsed.data } : { kind: 'unreadable' };
  } catch (e) {
    if ((e as Error).name === 'NoSuchKey') return { kind: 'absent' };
    throw e;
  }
}

/**
 * Objects and lists of one document: a builder writes manifests, and 48 MiB of `[],[],` need more than a gigabyte to read.
 * The largest site has 150,000 objects.
 */
const MAX_PARTS = 1_000_000;

function parseJson(text: string): unknown {
  let parts = 0;
  for (const open of ['{', '['])
    for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at + 1))
      if (++parts > MAX_PARTS) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
