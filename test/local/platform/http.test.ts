import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { memoryNotifier } from '../../../local/adapters/memory/notifier.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { type OwnAddresses, ownAddressesOf } from '../../../local/platform/admission.ts';
import { startHttp } from '../../../local/platform/http.ts';
import { apiApp } from '../../support/api.ts';
import { recordingLog } from '../../support/log.ts';

let endpoint: Endpoint;
const { log, lines: logged } = recordingLog();
const connected: string[] = [];
const start = async (own: OwnAddresses) => {
  const { app } = await apiApp({ log });
  endpoint = await startHttp({
    port: 0,
    handlers: {
      fetch: (request) => app.fetch(request),
      webSocket: async ({ requestContext }) => {
        connected.push(requestContext.routeKey);
        return { statusCode: 200 };
      },
    },
    notifier: memoryNotifier(),
    serveDashboard: () => false,
    own,
    log,
  });
};

beforeEach(async () => {
  logged.length = 0;
  connected.length = 0;
  await start({});
});
afterEach(() => endpoint.close());

/** What a server answers to these very bytes: clients of Node would not send most of them. */
function raw(text: string, { end = true, address = '127.0.0.1' } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(endpoint.port, address, () => (end ? socket.end(text) : socket.write(text)));
    socket.on('data', (chunk) => {
      answer += chunk;
      if (!end && /\r\n\r\n/.test(answer)) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
const get = (headers: string, target = '/healthz') =>
  raw(`GET ${target} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
const statusOf = (answer: string) => Number(answer.split(' ')[1]);
const own = () => `127.0.0.1:${endpoint.port}`;
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
const upgrade = (target: string, headers: string) =>
  raw(`GET ${target} HTTP/1.1\r\n${headers}\r\n${UPGRADE}\r\n\r\n`, { end: false });

describe('host names', () => {
  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])(
    'answers to %s, with the port of a tunnel too',
    async (name) => {
      for (const host of [name, `${name}:${endpoint.port}`, `${name}:8080`])
        expect(statusOf(await get(`Host: ${host}`))).toBe(200);
    },
  );

  it('is who answers at ::1, to which browsers resolve localhost first, by the same rules', async () => {
    const ask = (host: string, rest = '') =>
      raw(
        `GET ${rest ? '/ws' : '/healthz'} HTTP/1.1\r\nHost: ${host}:${endpoint.port}\r\n${rest || 'Connection: close'}\r\n\r\n`,
        {
          ...{ address: '::1', end: rest === '' },
        },
      );
    for (const [name, status] of [
      ['localhost', 200],
      ['[::1]', 200],
      ['evil.example', 421],
    ] as const)
      expect(statusOf(await ask(name))).toBe(status);
    expect(statusOf(await ask('localhost', UPGRADE))).toBe(101);
    expect(statusOf(await ask('evil.example', UPGRADE))).toBe(421);
  });

  it.each([
    'evil.example',
    'evil.example:3000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'site.localhost',
    '127.0.0.2',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    'localhost@evil.example',
    'evil.example/127.0.0.1',
    '127.0.0.1:x',
    '',
  ])('refuses %j, for requests and for WebSockets', async (host) => {
    for (const answer of [await get(`Host: ${host}`), await upgrade('/ws', `Host: ${host}`)]) {
      expect(statusOf(answer)).toBe(421);
      expect(answer).toContain('"code":"HOST_NOT_SERVED"');
    }
    expect(connected).toEqual([]);
  });

  it('refuses two of them, another one in the request line, and none', async () => {
    expect(statusOf(await get(`Host: ${own()}\r\nHost: evil.example`))).not.toBe(200);
    expect(statusOf(await get(`Host: ${own()}`, 'http://evil.example/healthz'))).toBe(421);
    expect(statusOf(await get(`Host: ${own()}`, `http://${own()}/healthz`))).toBe(421);
    expect(statusOf(await raw('GET /healthz HTTP/1.0\r\n\r\n'))).toBe(421);
  });

  it('answers to what is configured', async () => {
    await endpoint.close();
    await start(ownAddressesOf({ VEREN_PUBLIC_URL: 'https://deploy.example', VEREN_HOSTS: 'veren, box.lan' }));
    for (const host of ['deploy.example', 'veren', 'box.lan:3000', 'localhost'])
      expect(statusOf(await get(`Host: ${host}`))).toBe(200);
    expect(statusOf(await get('Host: evil.example'))).toBe(421);
    expect(statusOf(await get('Host: deploy.example\r\nOrigin: https://deploy.example'))).toBe(200);
  });

  it.each([
    { VEREN_PUBLIC_URL: 'deploy.example' },
    { VEREN_PUBLIC_URL: 'ftp://deploy.example' },
    { VEREN_PUBLIC_URL: 'https://deploy.example/path' },
    { VEREN_PUBLIC_URL: 'https://user:pw@deploy.example' },
    { VEREN_HOSTS: 'https://box' },
    { VEREN_HOSTS: 'box:3000' },
  ])('says what is wrong with %j', (env) => {
    expect(() => ownAddressesOf(env)).toThrow(expect.objectContaining({ code: 'PUBLIC_ADDRESS_INVALID' }));
  });
});

describe('origins', () => {
  const FOREIGN = [
    'Origin: http://evil.example',
    'Origin: null',
    'Origin: http://127.0.0.1:20001',
    'Origin: http://localhost',
    'Origin: http://site.localhost:3000',
    'Origin: file://',
    'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image',
    'Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script',
    'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe',
    'Sec-Fetch-Site: cross-site',
  ];
  it.each(FOREIGN)('refuses what a browser sends for a page elsewhere: %j', async (headers) => {
    for (const answer of [
      await get(`Host: ${own()}\r\n${headers}`),
      await upgrade('/ws?token=x', `Host: ${own()}\r\n${headers}`),
    ]) {
      expect(statusOf(answer)).toBe(403);
      expect(answer).toContain('"code":"ORIGIN_FORBIDDEN"');
    }
    expect(connected).toEqual([]);
  });

  it('refuses a form that is sent as a navigation', async () => {
    const headers = 'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document';
    const post = `POST /tickets HTTP/1.1\r\nHost: ${own()}\r\n${headers}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    expect(statusOf(await raw(post))).toBe(403);
  });

  it('takes pages of its own, programs, and links that are followed', async () => {
    for (const headers of [
      'Accept: */*',
      `Origin: http://${own()}`,
      'Sec-Fetch-Site: same-origin',
      'Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate',
      'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document',
    ])
      expect(statusOf(await get(`Host: ${own()}\r\n${headers}`))).toBe(200);
  });

  it('lets its own pages open a WebSocket, and no page elsewhere', async () => {
    const open = (origin?: string) =>
      new Promise<string>((resolve) => {
        const ws = new WebSocket(`ws://${own()}/ws`, { ...(origin && { origin }) });
        ws.on('open', () => {
          ws.terminate();
          resolve('open');
        });
        ws.on('error', (e) => resolve(e.message));
      });
    expect(await open()).toBe('open');
    expect(await open(`http://${own()}`)).toBe('open');
    expect(await open('http://127.0.0.1:20001')).toContain('403');
  });
});

describe('what no client should send', () => {
  it.each(['//', '//evil/ws', '/ws/', '/../ws', '/%77s', '\\ws'])(
    'refuses a WebSocket at %s without a word in the log',
    async (target) => {
      const status = statusOf(await upgrade(target, `Host: ${own()}`));
      expect([400, 404, 421]).toContain(status);
      expect(connected).toEqual([]);
      expect(logged).toEqual([]);
    },
  );

  it('does not take a body that broke off for a fault of its own', async () => {
    const headers = `Host: ${own()}\r\nAuthorization: Bearer token-of-ada\r\nContent-Type: application/json`;
    for (const body of ['Content-Length: 1000\r\n\r\n{"a"', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a"'])
      await raw(`POST /deployments HTTP/1.1\r\n${headers}\r\n${body}`);
    await new Promise((r) => setTimeout(r, 200));
    expect(logged).toEqual([]);
    expect(statusOf(await get(`Host: ${own()}`))).toBe(200);
  });

  it.each([
    ['both lengths', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
    ['an obfuscated coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
  ])('answers one request that two readers could cut differently with 400: %s', async (_, rest) => {
    const smuggled = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await raw(`POST /tickets HTTP/1.1\r\nHost: ${own()}\r\n${rest}${smuggled}`);
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  });

  it('answers beside the cookies that sites on 127.0.0.1 have set, as many as a browser keeps', async () => {
    const cookies = Array.from({ length: 180 }, (_, i) => `${i}=${'x'.repeat(4_090)}`).join('; ');
    expect(statusOf(await get(`Host: ${own()}\r\nCookie: ${cookies}`))).toBe(200);
  });

  it.each(['TRACE', 'OPTIONS', 'PATCH', 'DELETE'])(
    'answers %s at a path that has other methods with 405 and Allow',
    async (method) => {
      const request = `${method} /deployments HTTP/1.1\r\nHost: ${own()}\r\nAuthorization: Bearer token-of-ada\r\nConnection: close\r\n\r\n`;
      const answer = await raw(request);
      expect(statusOf(answer)).toBe(405);
      expect(answer.toLowerCase()).toContain('allow: get, head, post');
      expect(answer).toContain('METHOD_NOT_ALLOWED');
    },
  );
});
