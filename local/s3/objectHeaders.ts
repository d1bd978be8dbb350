import { ServiceError } from '../awsProtocol/serviceError.ts';
import type { StoredObject } from './bucketIndex.ts';
import { requestHeader, type S3Context } from './context.ts';

const KEPT = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires',
];
const MAX_USER_METADATA = 2_048;

/** The headers of an upload that belong to the object. */
export function metadataOf(context: S3Context): Record<string, string> {
  const kept: Record<string, string> = {};
  let userBytes = 0;
  for (const [name, value] of Object.entries(context.request.headers)) {
    if (typeof value !== 'string') continue;
    if (name.startsWith('x-amz-meta-')) {
      userBytes += name.length - 'x-amz-meta-'.length + value.length;
      kept[name] = value;
    } else if (KEPT.includes(name)) kept[name] = value;
  }
  if (userBytes > MAX_USER_METADATA)
    throw new ServiceError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size');
  // `aws-chunked` is how the upload was framed, not how the content is encoded.
  const encodings = kept['content-encoding']
    ?.split(',')
    .map((e) => e.trim())
    .filter((e) => e !== '' && e !== 'aws-chunked');
  delete kept['content-encoding'];
  if (encodings && encodings.length > 0) kept['content-encoding'] = encodings.join(',');
  kept['content-type'] ??= 'binary/octet-stream';
  return kept;
}

export const quoteEtag = (etag: string) => `"${etag}"`;
export const httpDate = (ms: number) => new Date(ms).toUTCString();

export function headersOf(context: S3Context, object: StoredObject): Record<string, string> {
  return {
    ...object.headers,
    'accept-ranges': 'bytes',
    etag: quoteEtag(object.etag),
    'last-modified': httpDate(object.modified),
    ...(object.checksum &&
      requestHeader(context, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' &&
      requestHeader(context, 'range') === undefined && {
        [`x-amz-checksum-${object.checksum.name}`]: object.checksum.value,
        'x-amz-checksum-type': object.checksum.type,
      }),
  };
}

/** Does a list of entity tags (`If-Match: "a", "b"` or `*`) name this one? */
export const namesEtag = (list: string, etag: string) =>
  list
    .split(',')
    .map((e) =>
      e
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((e) => e === '*' || e === etag);

const preconditionFailed = (condition: string) =>
  new ServiceError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

/** Conditional writes: `If-None-Match: *` and `If-Match: <etag>`. Source: S3 user guide, "Conditional writes". */
export function writePrecondition(context: S3Context): (current: StoredObject | undefined) => void {
  const ifMatch = requestHeader(context, 'if-match');
  const ifNoneMatch = requestHeader(context, 'if-none-match');
  return (current) => {
    if (ifNoneMatch !== undefined && current && namesEtag(ifNoneMatch, current.etag))
      throw preconditionFailed('If-None-Match');
    if (ifMatch === undefined) return;
    if (!current) throw new ServiceError('NoSuchKey', 404, 'The specified key does not exist.', { Key: context.key });
    if (!namesEtag(ifMatch, current.etag)) throw preconditionFailed('If-Match');
  };
}

/**
 * Conditional reads, in the order of RFC 9110 section 13.2.2. True: answer 304.
 * @param prefix `x-amz-copy-source-` for the conditions of a copy, where a 304 is a 412.
 */
export function isNotModified(context: S3Context, object: StoredObject, prefix = ''): boolean {
  const conditionHeader = (name: string) => requestHeader(context, prefix + name);
  const seconds = Math.floor(object.modified / 1_000) * 1_000;
  const ifMatch = conditionHeader('if-match');
  const ifUnmodifiedSince = conditionHeader('if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (ifUnmodifiedSince !== undefined && seconds > Date.parse(ifUnmodifiedSince))
    throw preconditionFailed('If-Unmodified-Since');
  const ifNoneMatch = conditionHeader('if-none-match');
  const ifModifiedSince = conditionHeader('if-modified-since');
  const same =
    ifNoneMatch !== undefined
      ? namesEtag(ifNoneMatch, object.etag)
      : ifModifiedSince !== undefined && seconds <= Date.parse(ifModifiedSince);
  if (same && prefix) throw preconditionFailed('If-None-Match');
  return same;
}
