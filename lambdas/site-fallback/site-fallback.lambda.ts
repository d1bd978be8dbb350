import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { openS3 } from '../shared/adapters/aws/clients.ts';
import { readEnv } from '../shared/env.ts';
import { answerMissing, type ReadSiteFile } from './fallback.ts';

const env = readEnv('site-fallback');
const s3 = openS3();

const readObject: ReadSiteFile = async (key) => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: env.BUCKET, Key: key }));
    return {
      body: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(),
      contentType: answer.ContentType,
      cacheControl: answer.CacheControl,
      etag: answer.ETag,
    };
  } catch (e) {
    if ((e as Error).name === 'NoSuchKey') return null;
    throw e;
  }
};
const prefixOf = (project: string) => (env.SITES_BY_PATH ? `/${project}` : '');

export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  const { status, headers, body } = await answerMissing(event.rawPath, readObject, prefixOf);
  return {
    statusCode: status,
    headers: { ...headers },
    body: event.requestContext.http.method === 'HEAD' ? '' : Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
}
