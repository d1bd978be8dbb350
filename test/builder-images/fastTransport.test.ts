import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Answer,
  collectBody,
  fastTransport,
  nodeTransport,
  undiciPut,
} from '../../builder-images/shared/fast-transport.ts';

/** Both clients behind the fast path answer the same to whatever a server does. */
let server: Server;
let base: URL;
/** Node's client writes `Connection`, undici `connection`. */
const clients = new Set<'node' | 'undici'>();
beforeAll(async () => {
  server = createServer((request, response) => {
    clients.add(request.rawHeaders.includes('Connection') ? 'node' : 'undici');
    if (request.url === '/early') return response.writeHead(400).end('no');
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      switch (request.url) {
        case '/echo':
          response.setHeader('etag', '"e"');
          return response.end(`${request.method} ${request.headers['x-amz-meta-a']} ${body}`);
        case '/split':
          response.write(Buffer.from('é').subarray(0, 1));
          return setTimeout(() => response.end(Buffer.from('é').subarray(1)), 20);
        case '/cut':
          response.writeHead(200, { 'content-length': '10' }).write('half');
          return setTimeout(() => response.destroy(), 20);
        case '/gone':
          return request.socket.destroy();
        default:
          return response.writeHead(Number(request.url?.slice(1))).end('no');
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const text = async (answer: Promise<Answer | null>) => (await answer)?.body.toString() ?? null;
const headers = { 'x-amz-meta-a': '1', 'content-length': '4' };
const body = Buffer.from('body');

describe.each([
  ['node', async (url: URL) => nodeTransport(url).put],
  ['undici', undiciPut],
] as const)('%s', (_name, open) => {
  test.each([
    ['/echo', 'PUT 1 body'],
    ['/split', 'é'],
    ['/204', null],
    ['/301', null],
    ['/403', null],
    ['/503', null],
    ['/cut', null],
    ['/gone', null],
  ])('%s', async (path, expected) => {
    const send = await open(base);
    expect(await text(send(path, headers, body))).toBe(expected);
    // The next one is not disturbed.
    expect(await send('/echo', headers, body)).toEqual({ etag: '"e"', body: Buffer.from('PUT 1 body') });
  });

  test('nobody there', async () => {
    const send = await open(new URL('http://127.0.0.1:1'));
    expect(await send('/echo', headers, body)).toBeNull();
  });
});

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'veren-put-file-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'a.bin');
  writeFileSync(file, 'body');
  const large = join(folder, 'large.bin');
  const LARGE = 3 * 1_024 * 1_024 + 7;
  writeFileSync(large, 'x'.repeat(LARGE));
  const of = (length: number) => ({ ...headers, 'content-length': String(length) });

  test('is sent as a body is, whatever its size', async () => {
    const { putFile } = nodeTransport(base);
    expect(await text(putFile('/echo', of(4), file, 4))).toBe('PUT 1 body');
    expect((await text(putFile('/echo', of(LARGE), large, LARGE)))?.length).toBe('PUT 1 '.length + LARGE);
  });

  test.each(['/301', '/403', '/503', '/cut', '/gone'])(
    '%s is no success, and the next one is not disturbed',
    async (path) => {
      const { putFile } = nodeTransport(base);
      expect(await putFile(path, of(4), file, 4)).toBeNull();
      expect(await putFile(path, of(LARGE), large, LARGE)).toBeNull();
      expect(await text(putFile('/echo', of(4), file, 4))).toBe('PUT 1 body');
    },
  );

  test('a refusal before the whole body is sent ends the sending', async () => {
    const { putFile } = nodeTransport(base);
    expect(await putFile('/early', of(LARGE), large, LARGE)).toBeNull();
  });

  test('another size than announced, a link, a folder, a pipe, nothing: not sent', async () => {
    const { putFile } = nodeTransport(base);
    const link = join(folder, 'link');
    symlinkSync(file, link);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await putFile('/echo', of(5), file, 5)).toBeNull();
    expect(await putFile('/echo', of(3), file, 3)).toBeNull();
    for (const path of [link, folder, pipe, join(folder, 'absent')])
      expect(await putFile('/echo', of(4), path, 4)).toBeNull();
  });

  test('nobody there', async () => {
    expect(await nodeTransport(new URL('http://127.0.0.1:1')).putFile('/echo', of(4), file, 4)).toBeNull();
  });
});

test('from one to the other in the middle of many: each is answered', async () => {
  const { put } = fastTransport(base, 20);
  clients.clear();
  for (let round = 0; round < 500 && !clients.has('undici'); round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => text(put('/echo', headers, body))));
    expect(new Set(answers)).toEqual(new Set(['PUT 1 body']));
  }
  expect(clients).toEqual(new Set(['node', 'undici']));
});

test('a GET that is cut is no body; one that nobody answers is none', async () => {
  const { get } = nodeTransport(base);
  expect(await collectBody((await get('/cut', {}))!)).toBeNull();
  expect(await get('/gone', {})).toBeNull();
  expect((await collectBody((await get('/split', {}))!))?.toString()).toBe('é');
});
