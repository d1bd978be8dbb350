import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';

export interface Answer {
  readonly etag: string;
  readonly body: Buffer;
}

export type SignedHeaders = Readonly<Record<string, string>>;

/** Sends a signed PUT. Null where the answer's status is not 200, or none comes; never rejects. */
export type SendPut = (path: string, headers: SignedHeaders, body: Buffer) => Promise<Answer | null>;
/** Sends a signed PUT whose body is a file, which must have that size. Otherwise as a PUT. */
export type SendFile = (path: string, headers: SignedHeaders, file: string, size: number) => Promise<Answer | null>;
/** Sends a signed POST. Otherwise as a PUT. */
export type SendPost = SendPut;
/** Sends a signed GET. Null where no answer comes; never rejects. The body is a stream that fails where it is cut. */
export type SendGet = (path: string, headers: SignedHeaders) => Promise<http.IncomingMessage | null>;

export interface HttpTransport {
  readonly put: SendPut;
  readonly putFile: SendFile;
  readonly post: SendPost;
  readonly get: SendGet;
}

const SOCKETS = 96;
/** Sixteen times Node's own size: a large file is sent in as many fewer turns. */
const READ_AT_ONCE = 1_024 * 1_024;
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
    putFile: node.putFile,
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
  const startRequest = (
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    headers: SignedHeaders,
    connections: http.Agent | false = agent,
  ) => {
    const request = start({ agent: connections, hostname, port, protocol, path, method, headers, timeout: TIMEOUT_MS });
    const response = new Promise<http.IncomingMessage | null>((resolve) => {
      request.on('response', resolve);
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(null));
      request.on('close', () => resolve(null));
    });
    return { request, response };
  };
  const sendRequest = (method: 'GET' | 'PUT' | 'POST', path: string, headers: SignedHeaders, body?: Buffer) => {
    const { request, response } = startRequest(method, path, headers);
    request.end(body);
    return response;
  };
  const answerOf = async (response: http.IncomingMessage | null): Promise<Answer | null> => {
    if (!response) return null;
    const body = await collectBody(response);
    return body && response.statusCode === 200 ? { etag: response.headers.etag ?? '', body } : null;
  };
  const answered =
    (method: 'PUT' | 'POST'): SendPut =>
    async (path, headers, body) =>
      answerOf(await sendRequest(method, path, headers, body));
  const putFile: SendFile = async (path, headers, file, size) => {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
    try {
      const info = await handle?.stat();
      if (!handle || !info?.isFile() || info.size !== size) return null;
      // A connection of its own: who refuses a body before its end may end the connection at any moment after it.
      const { request, response } = startRequest('PUT', path, headers, false);
      const content = handle.createReadStream({ highWaterMark: READ_AT_ONCE, autoClose: false });
      // A refusal may come before the whole body is sent, and then nobody reads the rest.
      void response.then((early) => early && early.statusCode !== 200 && !request.writableEnded && request.destroy());
      await sendContent(content, request);
      return await answerOf(await response);
    } catch {
      return null;
    } finally {
      await handle?.close().catch(() => undefined);
    }
  };
  return {
    get: (path, headers) => sendRequest('GET', path, headers),
    put: answered('PUT'),
    putFile,
    post: answered('POST'),
  };
}

/** Writes it all, or as much as there is a connection for: what became of it is in the answer. */
async function sendContent(content: AsyncIterable<Buffer>, request: http.ClientRequest): Promise<void> {
  for await (const chunk of content) {
    if (request.destroyed) return;
    if (request.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const goOn = () => {
        request.off('drain', goOn).off('close', goOn);
        resolve();
      };
      request.on('drain', goOn).on('close', goOn);
    });
  }
  request.end();
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
  const { Pool, util } = await import('./undici-client.ts');
  const times = { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS };
  const pool = new Pool(base.origin, { connections: SOCKETS, ...times });
  const answerFrom = (fields: Buffer[], chunks: Buffer[]): Answer => ({
    // Looked up where it is asked for: of thousands of answers to uploads and copies it is not.
    get etag() {
      return String(util.parseHeaders(fields).etag ?? '');
    },
    body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks),
  });
  return (path, headers, body) =>
    new Promise((resolve) => {
      let fields: Buffer[] | undefined;
      const chunks: Buffer[] = [];
      // `dispatch` rather than `request`: no stream has to be made for an answer of a few bytes.
      pool.dispatch(
        { path, method: 'PUT', headers, body },
        {
          onConnect: () => undefined,
          onHeaders(status, raw) {
            if (status === 200) fields = raw;
            return true;
          },
          onData: (chunk) => chunks.push(chunk) > 0,
          onComplete: () => resolve(fields ? answerFrom(fields, chunks) : null),
          onError: () => resolve(null),
        },
      );
    });
}
