import { DEFAULT_REGION } from '../../contract/names.ts';
import { LOCAL_ACCOUNT } from '../awsProtocol/credentials.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { XmlNode } from '../awsProtocol/xml.ts';
import { authorizeAction, type Operation, requireBucket, type S3Context, sendEmpty, sendXml } from './context.ts';
import { quoteEtag } from './objectHeaders.ts';

/** Source: S3 user guide, "General purpose bucket naming rules" (those that a name alone can break). */
const BUCKET_NAME = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const createBucket: Operation = async (context) => {
  authorizeAction(context, 's3:CreateBucket');
  if (!BUCKET_NAME.test(context.bucket))
    throw new ServiceError('InvalidBucketName', 400, 'The specified bucket is not valid.');
  if (!(await context.store.createBucket(context.bucket, context.clock.now())))
    throw new ServiceError(
      'BucketAlreadyOwnedByYou',
      409,
      'Your previous request to create the named bucket succeeded and you already own it.',
    );
  sendEmpty(context, 200, { location: `/${context.bucket}` });
};

export const headBucket: Operation = async (context) => {
  authorizeAction(context, 's3:ListBucket');
  requireBucket(context);
  sendEmpty(context, 200, { 'x-amz-bucket-region': DEFAULT_REGION });
};

export const getBucketLocation: Operation = async (context) => {
  authorizeAction(context, 's3:GetBucketLocation');
  requireBucket(context);
  sendXml(context, 'LocationConstraint', DEFAULT_REGION);
};

export const listBuckets: Operation = async (context) => {
  authorizeAction(context, 's3:ListAllMyBuckets');
  sendXml(context, 'ListAllMyBucketsResult', {
    Owner: { ID: LOCAL_ACCOUNT },
    Buckets: {
      Bucket: [...context.store.buckets]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { createdAt }]) => ({ Name: name, CreationDate: new Date(createdAt).toISOString() })),
    },
  });
};

const encodeKey = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/');

/** What both versions of a listing have in common. */
function list(context: S3Context, after: string) {
  const { query, store, bucket } = context;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  authorizeAction(context, 's3:ListBucket', undefined, { 's3:prefix': prefix, 's3:delimiter': delimiter });
  requireBucket(context);
  const maxKeys = query.get('max-keys') ?? '1000';
  if (!/^\d{1,9}$/.test(maxKeys)) throw new ServiceError('InvalidArgument', 400, 'max-keys is not a number.');
  const limit = Math.min(Number(maxKeys), 1_000);
  const { objects, commonPrefixes, next } = store.buckets.get(bucket)!.index.list({ prefix, delimiter, after, limit });
  const encoded = query.get('encoding-type') === 'url';
  const text = encoded ? encodeKey : (key: string) => key;
  const common: Record<string, XmlNode> = {
    Name: bucket,
    Prefix: text(prefix),
    Delimiter: delimiter === '' ? undefined : text(delimiter),
    EncodingType: encoded ? 'url' : undefined,
    MaxKeys: limit,
    IsTruncated: next !== undefined,
    Contents: objects.map(([key, object]) => ({
      Key: text(key),
      LastModified: new Date(object.modified).toISOString(),
      ETag: quoteEtag(object.etag),
      Size: object.size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: commonPrefixes.map((p) => ({ Prefix: text(p) })),
  };
  return { common, next, text, count: objects.length + commonPrefixes.length };
}

const emptyToUndefined = (text: string | null) => (text === null || text === '' ? undefined : text);

export const listObjectsV2: Operation = async (context) => {
  const { query } = context;
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token === null ? startAfter : Buffer.from(token, 'base64url').toString('utf8');
  const { common, next, text, count } = list(context, after);
  sendXml(context, 'ListBucketResult', {
    ...common,
    StartAfter: emptyToUndefined(text(startAfter)),
    KeyCount: count,
    ContinuationToken: emptyToUndefined(token),
    NextContinuationToken: next === undefined ? undefined : Buffer.from(next).toString('base64url'),
  });
};

/** The first version, which older tools (rclone, s3cmd) use by default. */
export const listObjects: Operation = async (context) => {
  const marker = context.query.get('marker') ?? '';
  const { common, next, text } = list(context, marker);
  sendXml(context, 'ListBucketResult', { ...common, Marker: text(marker), NextMarker: next && text(next) });
};
