import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { collectBody, fastTransport } from './fast-transport.ts';
import type { FileBody, ObjectMeta, ObjectsAccess } from './object-calls.ts';

/**
 * The calls to S3 of a publish without faults, without the SDK, which takes 0.1 s of CPU to load and 1 to 2 ms per
 * call: most of the time to publish a site, with five files or with 5,000. This is a fast path only: for every answer
 * that is not a plain success the SDK repeats the call, with its retries and errors.
 */
export interface FastObjects {
  /** False: not done, or not known to be done; doing it again is harmless. */
  put(key: string, body: Buffer | FileBody, meta: ObjectMeta): Promise<boolean>;
  copy(source: string, key: string): Promise<boolean>;
  /** The new ETag; undefined: not done, or not known to be done. */
  putIf(key: string, body: string, etag: string | null): Promise<string | undefined>;
  /** Null: the object does not exist. Undefined: not known. */
  get(key: string): Promise<{ body: Buffer; etag: string } | null | undefined>;
  stream(key: string): Promise<Readable | null | undefined>;
  /** At most 1,000. False: not all are removed, or not known to be. */
  remove(keys: readonly string[]): Promise<boolean>;
  /** True: no key begins with it. False: not known. */
  isEmpty(prefix: string): Promise<boolean>;
}

type Method = 'GET' | 'PUT' | 'POST';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');
const EMPTY = sha256Hex('');
const hmacSha256 = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
/** SHA-256 as `x-amz-checksum-sha256` gives it. */
export const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const UNRESERVED = /^[A-Za-z0-9/._~-]*$/;
/** As S3 wants it in paths: everything but RFC 3986's unreserved characters. */
export const encodeKey = (key: string) => (UNRESERVED.test(key) ? key : key.split('/').map(encodePart).join('/'));
const encodePart = (part: string) =>
  encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** Null where a key has characters that XML cannot hold, or that an XML parser would change. */
function deleteRequest(keys: readonly string[]): string | null {
  if (keys.some((key) => /[\u0000-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/u.test(key))) return null;
  const objects = keys.map((key) => `<Object><Key>${key.replace(/[&<>]/g, (c) => ENTITIES[c]!)}</Key></Object>`);
  return `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join('')}</Delete>`;
}

/** Null where the address is not certain to be of this form: other partitions, names that are not host names. */
function baseUrl({ endpoint, bucket, region }: ObjectsAccess): URL | null {
  if (endpoint) return new URL(`${endpoint.replace(/\/+$/, '')}/${bucket}`);
  if (!/^(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d$/.test(region) || !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket))
    return null;
  return new URL(`https://${bucket}.s3.${region}.amazonaws.com`);
}

/**
 * Signature version 4. Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)". What is the same for
 * all requests of a second, or of a day, is made once: a large site has thousands in a second.
 */
function createSigner({ region, accessKeyId, secretAccessKey }: ObjectsAccess) {
  let day = '';
  let second = 0;
  let time = '';
  let scope = '';
  let key: Buffer = Buffer.alloc(0);
  const setTime = () => {
    const now = Math.floor(Date.now() / 1_000);
    if (now === second) return;
    second = now;
    time = new Date(now * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, '');
    if (day === time.slice(0, 8)) return;
    day = time.slice(0, 8);
    scope = `${day}/${region}/s3/aws4_request`;
    key = [region, 's3', 'aws4_request'].reduce<Buffer>(hmacSha256, hmacSha256(`AWS4${secretAccessKey}`, day));
  };
  return (method: Method, path: string, query: string, headers: Record<string, string>): void => {
    setTime();
    headers['x-amz-date'] = time;
    const names = Object.keys(headers).sort();
    let lines = '';
    for (const name of names) lines += `${name}:${headers[name]}\n`;
    const signed = names.join(';');
    const request = `${method}\n${path}\n${query}\n${lines}\n${signed}\n${headers['x-amz-content-sha256']}`;
    const signature = hmacSha256(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256Hex(request)}`).toString('hex');
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  };
}

export function fastObjects(access: ObjectsAccess): FastObjects | null {
  const base = baseUrl(access);
  if (!base) return null;
  const transport = fastTransport(base);
  const sign = createSigner(access);
  const prefix = base.pathname === '/' ? '' : base.pathname;
  const pathOf = (key: string) => `${prefix}/${encodeKey(key)}`;

  type Given = Readonly<Record<string, string>>;
  const signedHeaders = (method: Method, path: string, query: string, sha256: string, given: Given) => {
    const headers: Record<string, string> = { ...given, host: base.host, 'x-amz-content-sha256': sha256 };
    if (access.sessionToken !== undefined) headers['x-amz-security-token'] = access.sessionToken;
    sign(method, path, query, headers);
    return headers;
  };
  const putObject = (key: string, given: Given, sha256: string, body: Buffer | FileBody) => {
    const path = pathOf(key);
    const headers = signedHeaders('PUT', path, '', sha256, given);
    headers['content-length'] = String(Buffer.isBuffer(body) ? body.length : body.size);
    return Buffer.isBuffer(body)
      ? transport.put(path, headers, body)
      : transport.putFile(path, headers, body.file, body.size);
  };
  const getObject = (path: string, query: string) =>
    transport.get(query === '' ? path : `${path}?${query}`, signedHeaders('GET', path, query, EMPTY, {}));
  const isEmpty = async (keys: string) => {
    const query = `list-type=2&max-keys=1&prefix=${encodeKey(keys).replaceAll('/', '%2F')}`;
    const response = await getObject(prefix || '/', query);
    const text = response && (await collectBody(response));
    return (
      response?.statusCode === 200 &&
      !!text?.includes('<KeyCount>0</KeyCount>') &&
      text.includes('<IsTruncated>false</IsTruncated>')
    );
  };
  const remove = async (keys: readonly string[]) => {
    const text = deleteRequest(keys);
    if (text === null) return false;
    const body = Buffer.from(text);
    const sha256 = sha256Hex(text);
    const given = { 'content-type': 'application/xml', 'x-amz-checksum-sha256': base64(sha256) };
    const headers = signedHeaders('POST', prefix || '/', 'delete=', sha256, given);
    headers['content-length'] = String(body.length);
    const answer = await transport.post(`${prefix || '/'}?delete=`, headers, body);
    return !!answer?.body.includes('<DeleteResult') && !answer.body.includes('<Error>');
  };
  /** The answer with an object's bytes, not yet read. */
  const openObject = async (key: string): Promise<IncomingMessage | null | undefined> => {
    const response = await getObject(pathOf(key), '');
    if (response?.statusCode === 200) return response;
    const refusal = (response && (await collectBody(response)))?.toString();
    if (refusal?.includes('<Code>NoSuchKey</Code>')) return null;
    // As in sdk-objects.ts: S3 says "not found" only to those who may list the whole bucket.
    if (refusal?.includes('<Code>AccessDenied</Code>') && (await isEmpty(key))) return null;
    return undefined;
  };
  return {
    put: async (key, body, { contentType, cacheControl, encoding, sha256 }) => {
      const headers = {
        'content-type': contentType,
        ...(cacheControl && { 'cache-control': cacheControl }),
        ...(encoding && { 'content-encoding': encoding }),
        'x-amz-checksum-sha256': base64(sha256),
      };
      return (await putObject(key, headers, sha256, body)) !== null;
    },
    // A copy may fail after S3 has begun to answer with 200: then the body holds the error.
    copy: async (source, key) => {
      const answer = await putObject(key, { 'x-amz-copy-source': encodeKey(source) }, EMPTY, Buffer.alloc(0));
      return answer?.body.includes('<CopyObjectResult') ?? false;
    },
    putIf: async (key, text, etag) => {
      const condition: Given = etag === null ? { 'if-none-match': '*' } : { 'if-match': etag };
      const body = Buffer.from(text);
      const sha256 = sha256Hex(text);
      return (
        (await putObject(key, { 'content-type': 'application/json', ...condition }, sha256, body))?.etag || undefined
      );
    },
    get: async (key) => {
      const response = await openObject(key);
      if (!response) return response;
      // The SDK finds it too large as well, and throws the error for it.
      if (access.maxBytes !== undefined && !(Number(response.headers['content-length']) <= access.maxBytes)) {
        response.destroy();
        return undefined;
      }
      const body = await collectBody(response);
      return body ? { body, etag: response.headers.etag ?? '' } : undefined;
    },
    stream: openObject,
    remove,
    isEmpty,
  };
}
