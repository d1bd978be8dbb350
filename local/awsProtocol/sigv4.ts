import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { CredentialStore, Principal } from './credentials.ts';
import { ServiceError } from './serviceError.ts';

/**
 * Verifies AWS Signature Version 4, in the Authorization header or in the query of a presigned URL.
 * Source: AWS general reference, "Create a signed AWS API request"; S3 API reference, "Authenticating Requests".
 */
export interface SignedRequest {
  readonly method: string;
  /** As it came over the wire: path and query, still encoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Verified {
  readonly principal: Principal;
  /** `x-amz-content-sha256`: a hex digest, `UNSIGNED-PAYLOAD` or one of the `STREAMING-…` words. */
  readonly payloadHash: string;
  /** The signature from which those of signed chunks are derived. */
  readonly seed: SigningSeed;
}

export interface SigningSeed {
  readonly signature: string;
  readonly key: Buffer;
  readonly amzDate: string;
  readonly scope: string;
}

const MAX_SKEW_MS = 15 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256\s+Credential=([A-Z0-9]{4,128})\/(\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request,\s*SignedHeaders=([a-z0-9;_-]{1,4096}),\s*Signature=([0-9a-f]{64})$/;

export const sha256Hex = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
export const hmacSha256 = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/** RFC 3986: everything but the unreserved characters. */
const encodeText = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServiceError('InvalidURI', 400, 'The request URI is not valid UTF-8 in percent-encoding.');
  }
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0
        ? ([encodeText(decodeText(pair)), ''] as const)
        : ([encodeText(decodeText(pair.slice(0, at))), encodeText(decodeText(pair.slice(at + 1)))] as const);
    })
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function parseAmzDate(text: string | undefined): number {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  return m ? Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) : Number.NaN;
}

/** The signing key costs four HMACs and is the same for a whole day. */
const signingKeys = new Map<string, Buffer>();
function signingKey(secret: string, date: string, region: string, service: string): Buffer {
  const id = `${secret}/${date}/${region}/${service}`;
  let key = signingKeys.get(id);
  if (!key) {
    key = [date, region, service, 'aws4_request'].reduce<Buffer>(
      (k, part) => hmacSha256(k, part),
      Buffer.from(`AWS4${secret}`),
    );
    if (signingKeys.size >= 256) signingKeys.clear();
    signingKeys.set(id, key);
  }
  return key;
}

export const sameText = (a: string, b: string) =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));

/** What a request says of its signature, in its header or (a presigned URL) in its query. */
interface Claimed {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly amzDate: string;
  readonly token: string | undefined;
  /** Without the signature, as it was signed. */
  readonly query: string;
  /** Milliseconds that it is good for: those of the URL, or the skew that is allowed to clocks. */
  readonly goodFor: number;
  readonly payloadHash: string;
}

const MAX_EXPIRES_SECONDS = 604_800;
const CREDENTIAL = /^([A-Z0-9]{4,128})\/(\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,32})\/aws4_request$/;

const malformedQuery = (message: string) => new ServiceError('AuthorizationQueryParametersError', 400, message);

function claimedInQuery(query: string): Claimed {
  const parameters = new URLSearchParams(query.replaceAll('+', '%2B'));
  const singleParameter = (name: string) => {
    const values = parameters.getAll(name);
    if (values.length > 1) throw malformedQuery(`${name} is given more than once.`);
    return values[0];
  };
  const credential = CREDENTIAL.exec(singleParameter('X-Amz-Credential') ?? '');
  const expires = singleParameter('X-Amz-Expires') ?? '';
  const signedHeaders = singleParameter('X-Amz-SignedHeaders') ?? '';
  const signature = singleParameter('X-Amz-Signature') ?? '';
  if (
    singleParameter('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256' ||
    !credential ||
    !/^[a-z0-9;_-]{1,4096}$/.test(signedHeaders)
  )
    throw malformedQuery('The query parameters of the signature are not valid.');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_SECONDS)
    throw malformedQuery('X-Amz-Expires must be between 1 and 604800 seconds.');
  const [accessKeyId, date, region, service] = credential.slice(1) as [string, string, string, string];
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders,
    signature,
    amzDate: singleParameter('X-Amz-Date') ?? '',
    token: singleParameter('X-Amz-Security-Token'),
    query: query
      .split('&')
      .filter((pair) => !pair.startsWith('X-Amz-Signature='))
      .join('&'),
    goodFor: Number(expires) * 1_000,
    payloadHash: singleParameter('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  };
}

function claimedInHeader(request: SignedRequest, query: string, payloadHash: string | undefined): Claimed {
  const header = request.headers.authorization;
  if (header === undefined) throw new ServiceError('AccessDenied', 403, 'The request is not signed.');
  const parts = AUTHORIZATION.exec(header);
  if (!parts) throw new ServiceError('AuthorizationHeaderMalformed', 400, 'The authorization header is malformed.');
  const [accessKeyId, date, region, service, signedHeaders, signature] = parts.slice(1) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const hash = (request.headers['x-amz-content-sha256'] as string | undefined) ?? payloadHash;
  if (hash === undefined) throw new ServiceError('InvalidRequest', 400, 'The header x-amz-content-sha256 is missing.');
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders,
    signature,
    amzDate: (request.headers['x-amz-date'] as string | undefined) ?? '',
    token: request.headers['x-amz-security-token'] as string | undefined,
    query,
    goodFor: MAX_SKEW_MS,
    payloadHash: hash,
  };
}

/**
 * @param payloadHash Hash to assume where the request names none in `x-amz-content-sha256` (JSON and query protocols).
 * @throws ServiceError with S3's error codes.
 */
export function verifySignature(
  request: SignedRequest,
  options: { service: string; credentials: CredentialStore; now: number; payloadHash?: string },
): Verified {
  const mark = request.url.indexOf('?');
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  const query = mark < 0 ? '' : request.url.slice(mark + 1);
  const inQuery = query.includes('X-Amz-Signature=');
  if (inQuery && request.headers.authorization !== undefined)
    throw new ServiceError('InvalidArgument', 400, 'Only one auth mechanism allowed.');
  const claimed = inQuery ? claimedInQuery(query) : claimedInHeader(request, query, options.payloadHash);
  const { accessKeyId, date, region, service, signedHeaders, signature, amzDate, payloadHash } = claimed;
  if (service !== options.service)
    throw new ServiceError(
      'AuthorizationHeaderMalformed',
      400,
      `The request is signed for "${service}", this is "${options.service}".`,
    );

  const principal = options.credentials.lookup(accessKeyId);
  if (!principal) throw new ServiceError('InvalidAccessKeyId', 403, 'The access key id does not exist in our records.');

  const at = parseAmzDate(amzDate);
  if (Number.isNaN(at) || !amzDate.startsWith(date))
    throw new ServiceError('AccessDenied', 403, 'A valid x-amz-date header is required.');
  if (inQuery && options.now > at + claimed.goodFor) throw new ServiceError('AccessDenied', 403, 'Request has expired');
  if (inQuery ? at > options.now + MAX_SKEW_MS : Math.abs(options.now - at) > MAX_SKEW_MS)
    throw new ServiceError(
      'RequestTimeTooSkewed',
      403,
      'The difference between the request time and the current time is too large.',
    );

  const names = signedHeaders.split(';');
  const signed = new Set(names);
  if (!signed.has('host') || Object.keys(request.headers).some((n) => n.startsWith('x-amz-') && !signed.has(n)))
    throw new ServiceError('AccessDenied', 403, 'There were headers present in the request which were not signed.');

  const canonicalRequest = [
    request.method,
    path
      .split('/')
      .map((s) => encodeText(decodeText(s)))
      .join('/'),
    canonicalQuery(claimed.query),
    ...names.map(
      (n) =>
        `${n}:${String(request.headers[n] ?? '')
          .trim()
          .replace(/\s+/g, ' ')}`,
    ),
    '',
    signedHeaders,
    payloadHash,
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = signingKey(principal.secretAccessKey, date, region, service);
  const expected = hmacSha256(key, `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256Hex(canonicalRequest)}`).toString(
    'hex',
  );
  if (!sameText(expected, signature))
    throw new ServiceError(
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided.',
    );

  checkToken(principal, claimed.token, options.now);
  return { principal, payloadHash, seed: { signature, key, amzDate, scope } };
}

function checkToken({ session }: Principal, token: string | undefined, now: number): void {
  if (!session) {
    if (token !== undefined)
      throw new ServiceError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.');
    return;
  }
  if (token === undefined || !sameText(token, session.token))
    throw new ServiceError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.');
  if (session.expiresAt <= now) throw new ServiceError('ExpiredToken', 400, 'The provided token has expired.');
}
