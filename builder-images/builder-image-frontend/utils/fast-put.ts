import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

/**
 * The two requests that a site of 5,000 files needs 10,000 times, without the SDK's cost for each (1 to 2 ms of CPU: most of
 * a publish). A fast path and no more: whatever is not a plain success is left to the SDK, with its retries and errors.
 */
export interface FastPut {
  /** False: not done, or not known to be done; doing it again is harmless. */
  put(key: string, headers: Readonly<Record<string, string>>, body: Buffer, sha256: string): Promise<boolean>;
  copy(source: string, key: string): Promise<boolean>;
}

export interface FastPutOptions {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Other than AWS's: then the bucket is the first part of the path. */
  readonly endpoint: string | undefined;
  readonly now: () => number;
}

const SOCKETS = 64;
const TIMEOUT_MS = 30_000;
const EMPTY = createHash('sha256').digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
/** As S3 wants it in paths: everything but RFC 3986's unreserved characters. */
export const encodeKey = (key: string) =>
  key
    .split('/')
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/');

/** Null where the address is not certain to be of this form: other partitions, names that are not host names. */
function baseUrl({ endpoint, bucket, region }: FastPutOptions): URL | null {
  if (endpoint) return new URL(`${endpoint.replace(/\/+$/, '')}/${bucket}`);
  if (!/^(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d$/.test(region) || !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket))
    return null;
  return new URL(`https://${bucket}.s3.${region}.amazonaws.com`);
}

/** Signature version 4. Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)". */
function signer({ region, accessKeyId, secretAccessKey, now }: FastPutOptions) {
  let day = '';
  let key: Buffer = Buffer.alloc(0);
  return (path: string, headers: Record<string, string>): void => {
    const time = new Date(now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    if (day !== time.slice(0, 8)) {
      day = time.slice(0, 8);
      key = [region, 's3', 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, day));
    }
    headers['x-amz-date'] = time;
    const names = Object.keys(headers).sort();
    const signed = names.join(';');
    const lines = names.map((name) => `${name}:${headers[name]}\n`).join('');
    const request = `PUT\n${path}\n\n${lines}\n${signed}\n${headers['x-amz-content-sha256']}`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash('sha256').update(request).digest('hex')}`;
    const signature = hmac(key, text).toString('hex');
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  };
}

export function fastPut(options: FastPutOptions): FastPut | null {
  const base = baseUrl(options);
  if (!base) return null;
  const secure = base.protocol === 'https:';
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: SOCKETS });
  const sign = signer(options);
  const prefix = base.pathname === '/' ? '' : base.pathname;

  /** The answer's body where it is 200, otherwise null. */
  const send = (key: string, given: Readonly<Record<string, string>>, sha256: string, body: Buffer) =>
    new Promise<string | null>((resolve) => {
      const path = `${prefix}/${encodeKey(key)}`;
      const headers: Record<string, string> = { ...given, host: base.host, 'x-amz-content-sha256': sha256 };
      if (options.sessionToken !== undefined) headers['x-amz-security-token'] = options.sessionToken;
      sign(path, headers);
      headers['content-length'] = String(body.length);
      const { hostname, port, protocol } = base;
      const request = (secure ? https : http).request(
        { agent, hostname, port, protocol, path, method: 'PUT', headers, timeout: TIMEOUT_MS },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve(response.statusCode === 200 ? text : null));
          response.on('error', () => resolve(null));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(null));
      request.end(body);
    });
  return {
    put: async (key, headers, body, sha256) => (await send(key, headers, sha256, body)) !== null,
    // A copy may fail after S3 has begun to answer with 200: then the body holds the error.
    copy: async (source, key) => {
      const text = await send(key, { 'x-amz-copy-source': encodeKey(source) }, EMPTY, Buffer.alloc(0));
      return text?.includes('<CopyObjectResult') ?? false;
    },
  };
}
