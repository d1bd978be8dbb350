import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { MAX_RULED_FILE_BYTES } from '../../contract/site-rules/ruleFile.ts';
import { openS3 } from '../shared/adapters/aws/clients.ts';
import { readEnv } from '../shared/env.ts';
import { answerSite, type ReadSiteFile } from './fallback.ts';
import { rememberRules } from './siteRules.ts';

const env = readEnv('site-fallback');
const s3 = openS3();

const readObject: ReadSiteFile = async (key) => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: env.BUCKET, Key: key }));
    const isSmall = (answer.ContentLength ?? 0) <= MAX_RULED_FILE_BYTES;
    if (!isSmall) (answer.Body as { destroy?: () => void } | undefined)?.destroy?.();
    return {
      body: isSmall ? ((await answer.Body?.transformToByteArray()) ?? new Uint8Array()) : null,
      contentType: answer.ContentType,
      cacheControl: answer.CacheControl,
      etag: answer.ETag,
    };
  } catch (e) {
    if ((e as Error).name === 'NoSuchKey') return null;
    throw e;
  }
};
const rulesOf = rememberRules(readObject);
const prefixOf = (project: string) => (env.SITES_BY_PATH ? `/${project}` : '');

export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  const asked = {
    path: event.rawPath,
    search: event.rawQueryString ? `?${event.rawQueryString}` : '',
    base: event.headers['x-veren-base'],
    before: event.headers['x-veren-before']?.split(',') ?? [],
    isExact: event.headers['x-veren-rules'] !== undefined,
  };
  const { status, headers, cookies, body } = await answerSite(asked, readObject, rulesOf, prefixOf);
  return {
    statusCode: status,
    headers: { ...headers },
    ...(cookies.length > 0 && { cookies: [...cookies] }),
    body: event.requestContext.http.method === 'HEAD' ? '' : Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
}
