import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { asAwsOutage, isAwsOutage } from '../../../lambdas/shared/adapters/aws/awsOutage.ts';
import { openDocuments } from '../../../lambdas/shared/documents.ts';

/** What the SDK throws, from a server that behaves so. */

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function storageThat(answers: RequestListener): Promise<S3Client> {
  const server = createServer(answers);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: { requestTimeout: 200, throwOnRequestTimeout: true },
  });
}

const outages: [string, RequestListener][] = [
  ['a connection that breaks', (req) => void req.socket.destroy()],
  ['no answer in time', () => {}],
  ['an answer of 503', (_req, res) => void res.writeHead(503).end()],
  [
    'a request to slow down',
    (_req, res) => void res.writeHead(429).end('<Error><Code>SlowDown</Code><Message>slow</Message></Error>'),
  ],
  [
    'an answer that ends in its middle',
    (_req, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('{"a"');
      setTimeout(() => res.destroy(), 50);
    },
  ],
];
test.each(outages)('%s is an outage of the storage', async (_what, answers) => {
  const documents = openDocuments(await storageThat(answers), 'bucket');
  await expect(documents.read('a.json', z.object({ a: z.number() }))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('the object storage'),
  });
});

test('nobody there is an outage', async () => {
  const gone = await storageThat(() => {});
  servers.at(-1)!.close();
  const error = await gone.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })).catch((e: unknown) => e);
  expect(isAwsOutage(error)).toBe(true);
});

test.each<[string, RequestListener]>([
  ['a refusal', (_req, res) => void res.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')],
  ['a document that is none', (_req, res) => void res.end('no JSON')],
])('%s is none', async (_what, answers) => {
  const documents = openDocuments(await storageThat(answers), 'bucket');
  const error = await documents.read('a.json', z.object({ a: z.number() })).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toMatchObject({ code: 'UNAVAILABLE' });
});

test('an error of ours stays what it is', () => {
  const ours = new TypeError('x is not a function');
  expect(asAwsOutage('S3', ours)).toBe(ours);
});
