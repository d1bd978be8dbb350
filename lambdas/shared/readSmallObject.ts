import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { S3Calls } from './adapters/aws/clients.ts';

/** What came of it: the object's content, that there is none, or that it is not what was asked for. */
export type SmallObject<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' };

/**
 * Reads a JSON object that a build may write: of any size, with anything in it. Whatever it is, it costs at most `maxBytes`
 * and throws nothing, so that it ends as that build's fault and not as one that is met again and again.
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
