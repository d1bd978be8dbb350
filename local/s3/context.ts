import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { isAllowed } from '../awsProtocol/policy.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { Verified } from '../awsProtocol/sigv4.ts';
import { type XmlNode, xmlDocument } from '../awsProtocol/xml.ts';
import type { Uploads } from './multipart.ts';
import type { ObjectStore } from './store.ts';

/** One verified request, and what an operation needs to answer it. */
export interface S3Context {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly verified: Verified;
  readonly bucket: string;
  /** Empty for requests about the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly store: ObjectStore;
  readonly uploads: Uploads;
  readonly clock: Clock;
}

export type Operation = (context: S3Context) => Promise<void>;

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const MAX_KEY_BYTES = 1_024;

export const requestHeader = (context: S3Context, name: string): string | undefined => {
  const value = context.request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

export const isPermitted = (context: S3Context, action: string, key?: string, extra?: Record<string, string>) =>
  isAllowed(context.verified.principal.session?.policy, {
    action,
    resource: `arn:aws:s3:::${context.bucket}${key === undefined ? '' : `/${key}`}`,
    ...(extra && { context: extra }),
  });

/** @param key Absent: the bucket itself is the resource. */
export function authorizeAction(
  context: S3Context,
  action: string,
  key?: string,
  extra?: Record<string, string>,
): void {
  if (!isPermitted(context, action, key, extra)) throw accessDenied();
}

export const accessDenied = () => new ServiceError('AccessDenied', 403, 'Access Denied');

/**
 * S3 answers that a key does not exist only to those who may list the bucket; for others it looks like a forbidden one.
 */
export function noSuchKey(context: S3Context, key = context.key): ServiceError {
  if (!isPermitted(context, 's3:ListBucket')) return accessDenied();
  return new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { Key: key });
}

export function requireBucket(context: S3Context, bucket = context.bucket): void {
  if (!context.store.buckets.has(bucket))
    throw new ServiceError('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket });
}

export function checkKey(key: string): void {
  if (key === '') throw new ServiceError('InvalidRequest', 400, 'A key must not be empty.');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new ServiceError('KeyTooLongError', 400, 'Your key is too long');
}

export function sendXml(context: S3Context, root: string, node: XmlNode): void {
  const body = xmlDocument(root, node, NAMESPACE);
  context.response.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) });
  context.response.end(body);
}

export function sendEmpty(context: S3Context, status: number, headers: Record<string, string> = {}): void {
  context.response.writeHead(status, status === 204 ? headers : { 'Content-Length': '0', ...headers });
  context.response.end();
}
