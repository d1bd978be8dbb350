import type { _Object } from '@aws-sdk/client-s3';
import type { S3Calls } from './adapters/aws/clients.ts';

/** Every object below a prefix, page by page. (The SDK's own paginator takes nothing but its own class of client.) */
export async function* listObjects(s3: S3Calls, bucket: string, prefix: string): AsyncGenerator<_Object> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  let token: string | undefined;
  do {
    const query = { Bucket: bucket, Prefix: prefix, ContinuationToken: token };
    const { Contents = [], NextContinuationToken } = await s3.send(new ListObjectsV2Command(query));
    yield* Contents;
    token = NextContinuationToken;
  } while (token !== undefined);
}
