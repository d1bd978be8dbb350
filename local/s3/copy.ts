import { isAllowed } from '../awsProtocol/policy.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import {
  accessDenied,
  authorizeAction,
  checkKey,
  noSuchKey,
  type Operation,
  requestHeader,
  requireBucket,
  sendXml,
} from './context.ts';
import { isNotModified, metadataOf, quoteEtag, writePrecondition } from './objectHeaders.ts';

const invalidSource = () =>
  new ServiceError(
    'InvalidArgument',
    400,
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  );

function parseSource(text: string): { bucket: string; key: string } {
  let path: string;
  try {
    path = decodeURIComponent(text);
  } catch {
    throw invalidSource();
  }
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  if (!match) throw invalidSource();
  return { bucket: match[1]!, key: match[2]! };
}

/** A copy shares the bytes of its source: it costs one journal line, however large the object is. */
export const copyObject: Operation = async (context) => {
  const { bucket, key, store, clock, verified } = context;
  checkKey(key);
  const source = parseSource(requestHeader(context, 'x-amz-copy-source')!);
  authorizeAction(context, 's3:PutObject', key);
  const resource = `arn:aws:s3:::${source.bucket}/${source.key}`;
  if (!isAllowed(verified.principal.session?.policy, { action: 's3:GetObject', resource })) throw accessDenied();
  requireBucket(context);
  requireBucket(context, source.bucket);

  const object = store.get(source.bucket, source.key);
  if (!object) throw noSuchKey({ ...context, bucket: source.bucket }, source.key);
  isNotModified(context, object, 'x-amz-copy-source-');
  const replace = requestHeader(context, 'x-amz-metadata-directive')?.toUpperCase() === 'REPLACE';
  if (!replace && source.bucket === bucket && source.key === key)
    throw new ServiceError(
      'InvalidRequest',
      400,
      'This copy request is illegal because it is trying to copy an object to itself without changing its metadata.',
    );

  const modified = clock.now();
  store.blobs.retain(object.segments);
  await store.put(
    bucket,
    key,
    { ...object, modified, ...(replace && { headers: metadataOf(context) }) },
    writePrecondition(context),
  );
  sendXml(context, 'CopyObjectResult', {
    LastModified: new Date(modified).toISOString(),
    ETag: quoteEtag(object.etag),
  });
};
