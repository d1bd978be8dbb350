import type { _Object } from '@aws-sdk/client-s3';
import type { S3Calls } from './adapters/aws/clients.ts';

/**
 * Every object below a prefix, page by page; those after a key. (The SDK's own paginator takes nothing but its own class
 * of client.)
 */
export async function* listObjects(
  s3: S3Calls,
  bucket: string,
  prefix: string,
  after?: string,
): AsyncGenerator<_Object> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  let token: string | undefined;
  do {
    const query = { Bucket: bucket, Prefix: prefix, ContinuationToken: token, StartAfter: after };
    const { Contents = [], NextContinuationToken } = await s3.send(new ListObjectsV2Command(query));
    yield* Contents;
    token = NextContinuationToken;
  } while (token !== undefined);
}

/** The names right below a prefix that others follow: `a` for `prefix/a/…`. Those after a name. */
export async function* listFolders(
  s3: S3Calls,
  bucket: string,
  prefix: string,
  after?: string,
): AsyncGenerator<string> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  // The last key that a folder may hold, so that the listing begins behind the folder.
  const StartAfter = after === undefined ? undefined : `${prefix}${after}/\u{10ffff}`;
  let token: string | undefined;
  do {
    const query = { Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: token, StartAfter };
    const { CommonPrefixes = [], NextContinuationToken } = await s3.send(new ListObjectsV2Command(query));
    for (const { Prefix = '' } of CommonPrefixes) yield Prefix.slice(prefix.length, -1);
    token = NextContinuationToken;
  } while (token !== undefined);
}
