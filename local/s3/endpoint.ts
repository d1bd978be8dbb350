import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../lambdas/shared/ports.ts';
import { isDiskFull } from '../adapters/memory/journalFile.ts';
import type { CredentialStore } from '../awsProtocol/credentials.ts';
import { type Endpoint, listenOnLoopback } from '../awsProtocol/listen.ts';
import { ServiceError } from '../awsProtocol/serviceError.ts';
import { verifySignature } from '../awsProtocol/sigv4.ts';
import { xmlDocument } from '../awsProtocol/xml.ts';
import { createBucket, getBucketLocation, headBucket, listBuckets, listObjects, listObjectsV2 } from './buckets.ts';
import type { Operation, S3Context } from './context.ts';
import { copyObject } from './copy.ts';
import { deleteObjects } from './deleteObjects.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  type Uploads,
  uploadPart,
} from './multipart.ts';
import { deleteObject, getObject, headObject, putObject } from './objects.ts';
import { ObjectStore } from './store.ts';

export interface S3EndpointOptions {
  /** Objects are kept below `<dataDir>/s3`. One process at a time may use it. */
  readonly dataDir: string;
  readonly port?: number;
  readonly credentials: CredentialStore;
  readonly clock?: Clock;
  /** Called with faults of the endpoint itself; each was answered with 500. */
  readonly onError?: (error: unknown) => void;
  /** Called with one sentence when a journal was repaired at the start. */
  readonly onRepair?: (sentence: string) => void;
  /** Milliseconds before each request is looked at: a store that is not on this machine, for benchmarks. */
  readonly latencyMs?: number;
}

/** An S3 endpoint for path-style clients (`forcePathStyle: true`). Every request must be signed with a known key. */
export async function startS3Endpoint(options: S3EndpointOptions): Promise<Endpoint> {
  const store = await ObjectStore.open(join(options.dataDir, 's3'), options.onRepair);
  const uploads: Uploads = new Map();
  const clock = options.clock ?? { now: Date.now };
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    response.setHeader('x-amz-request-id', randomUUID().slice(-12).toUpperCase());
    response.setHeader('server', 'veren-local-s3');
    const answerNow = () =>
      answerRequest(request, response, { store, uploads, clock, credentials: options.credentials });
    (options.latencyMs ? sleep(options.latencyMs).then(answerNow) : answerNow()).catch((error) =>
      sendError(request, response, error, options.onError),
    );
  });
  server.maxConnections = 1_000;
  const endpoint = await listenOnLoopback(server, options.port).catch(async (error) => {
    await store.close();
    throw error;
  });
  return {
    ...endpoint,
    async close() {
      await endpoint.close();
      await store.close();
    },
  };
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  shared: Pick<S3Context, 'store' | 'uploads' | 'clock'> & { credentials: CredentialStore },
): Promise<void> {
  const { credentials, ...rest } = shared;
  const url = request.url ?? '/';
  const method = request.method ?? '';
  const verified = verifySignature(
    { method, url, headers: request.headers },
    { service: 's3', credentials, now: rest.clock.now() },
  );
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const slash = path.indexOf('/', 1);
  const context: S3Context = {
    ...rest,
    request,
    response,
    verified,
    bucket: decodeURIComponent(slash < 0 ? path.slice(1) : path.slice(1, slash)),
    key: slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1)),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1).replaceAll('+', '%2B')),
  };
  await operationFor(method, context)(context);
}

/** Query parameters that only refine an operation; any other, but those of a signature, names a subresource that has to be known. */
const REFINING =
  /^(x-id|list-type|prefix|delimiter|max-keys|continuation-token|start-after|marker|encoding-type|fetch-owner|partNumber|uploadId)$/;

function operationFor(method: string, { bucket, key, query, request }: S3Context): Operation {
  const subresource = [...query.keys()].find((name) => !REFINING.test(name) && !/^x-amz-/i.test(name));
  const copy = request.headers['x-amz-copy-source'] !== undefined;
  const upload = query.has('uploadId');
  const version = query.get('list-type');
  const kind = bucket === '' ? 'service' : key === '' ? 'bucket' : upload ? 'upload' : 'object';
  const name = `${method} ${kind}${version === null ? '' : `?list-type=${version}`}${subresource ? `?${subresource}` : ''}${copy ? ' copy' : ''}`;
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw new ServiceError('NotImplemented', 501, `This endpoint does not know ${name}.`);
  return operation;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET service': listBuckets,
  'PUT bucket': createBucket,
  'HEAD bucket': headBucket,
  'GET bucket': listObjects,
  'GET bucket?list-type=2': listObjectsV2,
  'GET bucket?location': getBucketLocation,
  'POST bucket?delete': deleteObjects,
  'PUT object': putObject,
  'PUT object copy': copyObject,
  'GET object': getObject,
  'HEAD object': headObject,
  'DELETE object': deleteObject,
  'POST object?uploads': createMultipartUpload,
  'PUT upload': uploadPart,
  'POST upload': completeMultipartUpload,
  'DELETE upload': abortMultipartUpload,
};

/** S3 itself never says so; of its own answers, `SlowDown` is the one that asks to come later. */
const diskFull = () => new ServiceError('SlowDown', 503, 'There is no space left on the disk of the platform.');

function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  onError?: (e: unknown) => void,
): void {
  if (response.headersSent || request.socket.destroyed) {
    response.destroy(); // the client has left, or has to see by a cut connection that the body is incomplete
    return;
  }
  const known = error instanceof ServiceError ? error : isDiskFull(error) ? diskFull() : undefined;
  if (!(error instanceof ServiceError)) onError?.(error);
  const { code, status, message, members } =
    known ?? new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.');
  const requestId = String(response.getHeader('x-amz-request-id'));
  const body = xmlDocument('Error', {
    Code: code,
    Message: message,
    ...members,
    Resource: request.url ?? '',
    RequestId: requestId,
  });
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}
