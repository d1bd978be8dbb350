import http from 'node:http';
import https from 'node:https';

export interface Answer {
  readonly etag: string;
  readonly body: Buffer;
}

export type SignedHeaders = Readonly<Record<string, string>>;

/** Sends a signed PUT. Null where the answer's status is not 200, or none comes; never rejects. */
export type SendPut = (path: string, headers: SignedHeaders, body: Buffer) => Promise<Answer | null>;
/** Sends a signed POST. Otherwise as a PUT. */
export type SendPost = SendPut;
/** Sends a signed GET. Null where no answer comes; never rejects. The body is a stream that fails where it is cut. */
export type SendGet = (path: string, headers: SignedHeaders) => Promise<http.IncomingMessage | null>;

export interface HttpTransport {
  readonly put: SendPut;
  readonly post: SendPost;
  readonly get: SendGet;
}

const SOCKETS = 96;
const TIMEOUT_MS = 30_000;
/** Loading undici takes 50 ms; afterwards a request costs two thirds of the CPU. */
const MANY = 256;

/**
 * Uses Node's own client first, which is loaded already; for PUTs undici from the request on at which loading it pays.
 */
export function fastTransport(base: URL, many = MANY): HttpTransport {
  const node = nodeTransport(base);
  let put = node.put;
  let sent = 0;
  return {
    get: node.get,
    post: node.post,
    put: (path, headers, body) => {
      if (++sent === many)
        undiciPut(base).then(
          (next) => {
            put = next;
          },
          () => undefined, // undici is only an optimisation
        );
      return put(path, headers, body);
    },
  };
}

export function nodeTransport(base: URL): HttpTransport {
  const { request: start, Agent } = base.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const { hostname, port, protocol } = base;
  const sendRequest = (method: 'GET' | 'PUT' | 'POST', path: string, headers: SignedHeaders, body?: Buffer) =>
    new Promise<http.IncomingMessage | null>((resolve) => {
      const request = start({ agent, hostname, port, protocol, path, method, headers, timeout: TIMEOUT_MS }, resolve);
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(null));
      request.end(body);
    });
  const answered =
    (method: 'PUT' | 'POST'): SendPut =>
    async (path, headers, body) => {
      const response = await sendRequest(method, path, headers, body);
      if (!response) return null;
      const answer = await collectBody(response);
      return answer && response.statusCode === 200 ? { etag: response.headers.etag ?? '', body: answer } : null;
    };
  return { get: (path, headers) => sendRequest('GET', path, headers), put: answered('PUT'), post: answered('POST') };
}

/** Null where it is cut. */
export async function collectBody(response: http.IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    return null;
  }
}

export async function undiciPut(base: URL): Promise<SendPut> {
  const { Pool, util } = await import('undici');
  const times = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS };
  const pool = new Pool(base.origin, { connections: SOCKETS, ...times });
  return (path, headers, body) =>
    new Promise((resolve) => {
      let etag: string | undefined;
      const chunks: Buffer[] = [];
      // `dispatch` rather than `request`: no stream has to be made for an answer of a few bytes.
      pool.dispatch(
        { path, method: 'PUT', headers, body },
        {
          onConnect: () => undefined,
          onHeaders(status, raw) {
            if (status === 200) etag = String(util.parseHeaders(raw).etag ?? '');
            return true;
          },
          onData: (chunk) => chunks.push(chunk) > 0,
          onComplete: () => resolve(etag === undefined ? null : { etag, body: Buffer.concat(chunks) }),
          onError: () => resolve(null),
        },
      );
    });
}
