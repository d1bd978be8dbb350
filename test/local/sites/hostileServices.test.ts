import { createHash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import type { SiteRoute } from '../../../contract/siteRoute.ts';
import { callPath } from '../../../local/services/cronCall.ts';
import type { Lease } from '../../../local/services/localServices.ts';
import { type SiteServer, startSiteServer } from '../../../local/sites/server.ts';
import { eventually } from '../../support/eventually.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';

// A backend whose code is not to be trusted, byte by byte, behind the platform's own server.
const DEPLOYMENT = '01kb3xv7q8w9e1r2t3y4u5i6o1';
let backend: Server;
let sites: SiteServer;
let port: number;
let react: (socket: Socket, received: string) => void;
let received = '';
let beforeLease = Promise.resolve();
let leases = 0;
let route: SiteRoute;
const faults: unknown[] = [];
const backendSockets = new Set<Socket>();

beforeAll(async () => {
  backend = createServer((socket) => {
    let text = '';
    backendSockets.add(socket);
    socket.on('close', () => backendSockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      text += chunk.toString('latin1');
      react(socket, text);
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  sites = await startSiteServer({
    dataDir: temporaryFolder(),
    s3: new S3Client({ region: 'ap-south-1', endpoint: 'http://127.0.0.1:9' }),
    bucket: 'bucket',
    sites: { point: async () => undefined, find: async () => route, listRoutes: async () => [] },
    services: {
      async lease() {
        await beforeLease;
        leases++;
        return { ...leaseOf(), release: () => void leases-- };
      },
      countRequest: () => undefined,
    },
    onError: (error) => faults.push(error),
  });
  const record = { projectId: 'shop', deploymentId: DEPLOYMENT, plan: null };
  port = Number(new URL((await sites.addressesOf(record, null)).url).port);
});
afterAll(async () => {
  await sites.close();
  for (const socket of backendSockets) socket.destroy();
  backend.close();
  removeFolders();
});
beforeEach(() => {
  route = { projectId: 'shop', deploymentId: DEPLOYMENT, service: { prefix: '/', version: `${DEPLOYMENT}-0` } };
  received = '';
  beforeLease = Promise.resolve();
  faults.length = 0;
});
afterEach(async () => {
  await eventually(() => leases === 0);
  for (const socket of backendSockets) socket.destroy();
});

const leaseOf = (): Pick<Lease, 'host' | 'port' | 'timeoutMs'> => ({
  ...{ host: '127.0.0.1', timeoutMs: 3_000 },
  port: (backend.address() as { port: number }).port,
});
/** Reacts when the head of a request is there. */
const answering = (answer: string) => (socket: Socket, text: string) => {
  if (text.endsWith('\r\n\r\n')) socket.write(answer, 'latin1');
};
const HOST = 'host: 127.0.0.1\r\n';

/** All that a visitor gets until the connection ends. */
function visit(text: string, more?: (socket: Socket, got: string) => void): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(text, 'latin1'));
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      more?.(socket, got);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
  });
}
const get = (path = '/', headers = '') => visit(`GET ${path} HTTP/1.1\r\n${HOST}connection: close\r\n${headers}\r\n`);
const statusOf = (text: string) => Number(text.split(' ')[1]);
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

async function stillAnswers() {
  react = answering(OK);
  expect(await get()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\nok$/);
}

test.each([
  ['000', 'HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n'],
  ['999', 'HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n'],
  ['that nobody has asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nbytes'],
  ['announced for ever', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5_000)],
  ['whose head is endless', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(300_000)}\r\n\r\n`],
  ['that is no HTTP', '\u0000\u0001\u0002\r\n\r\n'],
  ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['with a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
])('an answer %s is 502, and ends nothing', async (_, answer) => {
  react = answering(answer);
  expect(statusOf(await get())).toBe(502);
  expect(faults).toEqual([]);
  await stillAnswers();
});

test.each([
  ['a reason with control characters', 'HTTP/1.1 200 a\u0001\u007fb\r\ncontent-length: 2\r\n\r\nok'],
  ['a reason beyond ASCII', 'HTTP/1.1 200 \u00e4\u00ff\r\ncontent-length: 2\r\n\r\nok'],
  ['a header with control characters', 'HTTP/1.1 200 OK\r\nx: a\u0001b\r\ncontent-length: 2\r\n\r\nok'],
  ['a header without a name', 'HTTP/1.1 200 OK\r\n: b\r\ncontent-length: 2\r\n\r\nok'],
])('%s is not passed on', async (_, answer) => {
  react = answering(answer);
  const got = await get();
  expect([200, 502]).toContain(statusOf(got));
  expect(got).not.toMatch(/[\u0001\u007f-\u00ff]/);
  await stillAnswers();
});

test.each([
  ['204', 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nmore'],
  ['304', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nbody'],
])('a body after %s reaches nobody', async (status, answer) => {
  react = answering(answer);
  const got = await get();
  expect(statusOf(got)).toBe(Number(status));
  expect(got.split('\r\n\r\n')[1]).toBe('');
  await stillAnswers();
});

test('a body after the head of HEAD, and a second answer, reach no later visitor', async () => {
  react = answering('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad');
  expect((await visit(`HEAD / HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`)).split('\r\n\r\n')[1]).toBe('');
  await stillAnswers();
});

test('an answer that breaks off does not look whole', async () => {
  react = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
  expect(await get()).toMatch(/half$/);
  react = (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n');
  expect(await get()).not.toMatch(/0\r\n\r\n$/);
});

test('a visitor who has gone before, or in, an answer without an end holds nothing', async () => {
  react = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const more = setInterval(() => socket.write('more'), 10);
    socket.on('close', () => clearInterval(more));
  };
  await visit(`GET / HTTP/1.1\r\n${HOST}\r\n`, (socket) => socket.destroy());
  let wake = () => {};
  beforeLease = new Promise((resolve) => {
    wake = resolve;
  });
  const gone = connect({ host: '127.0.0.1', port }, () => gone.write(`POST / HTTP/1.1\r\n${HOST}\r\n`));
  const upgrade = connect({ host: '127.0.0.1', port }, () =>
    upgrade.write(`GET / HTTP/1.1\r\n${HOST}upgrade: x\r\nconnection: upgrade\r\n\r\n`),
  );
  await sleep(100);
  gone.destroy();
  upgrade.destroy();
  await sleep(100);
  wake();
  await eventually(() => leases === 0 && backendSockets.size === 0);
  expect(faults).toEqual([]);
  await stillAnswers();
});

test('an upload that was announced by Expect, and events as they come', async () => {
  react = (socket, text) => {
    if (text.endsWith('hello')) socket.end(OK);
  };
  const upload = await visit(
    `POST / HTTP/1.1\r\n${HOST}connection: close\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`,
    (socket, got) => got.endsWith('100 Continue\r\n\r\n') && socket.write('hello'),
  );
  expect(upload).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  expect(received).not.toMatch(/expect/i);
  react = answering('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n');
  const events = await visit(`GET / HTTP/1.1\r\n${HOST}\r\n`, (socket, got) => got.includes('data: 1') && socket.end());
  expect(events).toContain('data: 1\n\n');
});

test('a header that Connection names is left out, but never what frames the request', async () => {
  react = (socket, text) => text.endsWith('hello') && socket.end(OK);
  await visit(
    `POST / HTTP/1.1\r\n${HOST}connection: close, content-length, host, x-own\r\nx-own: 1\r\ncontent-length: 5\r\n\r\nhello`,
  );
  expect(received).toMatch(/^content-length: 5\r$/m);
  expect(received).toMatch(/^host: 127\.0\.0\.1\r$/m);
  expect(received).not.toMatch(/x-own|transfer-encoding/);
});

describe('an upgrade', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: Upgrade\r\n\r\n';
  const ask = (headers = '', body = '') =>
    `GET /ws HTTP/1.1\r\n${HOST}connection: keep-alive, Upgrade, x-own\r\nx-own: 1\r\nupgrade: echo\r\n${headers}\r\n${body}`;

  test('that the backend agrees to is a tunnel, with what was sent meanwhile', async () => {
    react = (socket, text) => {
      if (text.endsWith('\r\n\r\nfirst')) socket.write(`${SWITCH}welcome`);
      if (text.endsWith('second')) socket.end(' bye');
    };
    react = ((before) => (socket: Socket, text: string) => {
      if (text.endsWith('\r\n\r\n')) socket.write(SWITCH);
      else before(socket, text.replace('\r\n\r\nfirst', '\r\n\r\n'));
    })(react);
    const got = await visit(ask('', 'first'), (socket, text) => {
      if (text.includes('101 ') && !received.includes('second')) socket.write('second');
    });
    expect(got).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n/);
    expect(got).toMatch(/ bye$/);
    expect(received).toMatch(/^connection: Upgrade\r$/im);
    expect(received).not.toMatch(/x-own|keep-alive/);
    expect(received).toMatch(/\r\n\r\nfirstsecond$/);
  });

  test.each([
    ['200', OK],
    ['400', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'],
  ])('that it answers by %s ends the connection: no request passes the platform', async (status, answer) => {
    route = { ...route, protection: undefined };
    react = (socket, text) => text.includes('\r\n\r\n') && socket.write(answer);
    const hidden = `GET /hidden HTTP/1.1\r\n${HOST}x-veren-cron: forged\r\n\r\n`;
    const got = await visit(ask('', hidden), (socket) => socket.write(hidden));
    expect(statusOf(got)).toBe(Number(status));
    expect(got.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(received).not.toMatch(/hidden|forged/);
  });

  test.each([
    ['000', 'HTTP/1.1 000 X\r\n\r\n'],
    ['announced for ever', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5_000)],
    ['no HTTP', 'nothing\r\n\r\n'],
  ])('that it answers by what is %s is 502', async (_, answer) => {
    react = answering(answer);
    expect(statusOf(await visit(ask()))).toBe(502);
    await stillAnswers();
  });

  test('with a body passes it on as far as it is announced', async () => {
    react = (socket, text) => {
      if (text.endsWith('\r\n\r\nhello')) socket.write(SWITCH);
      if (text.endsWith('rest')) socket.end();
    };
    await visit(ask('content-length: 5\r\n', 'hellorest'));
    expect(received).toMatch(/\r\n\r\nhellorest$/);
    received = '';
    expect(statusOf(await visit(ask('transfer-encoding: chunked\r\n', '0\r\n\r\n')))).toBe(502);
    expect(received).toBe('');
  });

  test('that nobody answers is 504', async () => {
    react = () => undefined;
    expect(statusOf(await visit(ask()))).toBe(504);
  });

  test('of an address that is none reaches nobody', async () => {
    react = answering(SWITCH);
    for (const path of ['http://elsewhere/', '/../x', '*'])
      expect(statusOf(await visit(ask().replace('/ws', path)))).toBe(404);
    expect(received).toBe('');
  });
});

describe('a locked preview', () => {
  const lock = (kind: 'link' | 'password') => ({
    kind,
    salt: 'salt',
    hash: createHash('sha256').update('saltopen').digest('hex'),
  });
  const basic = `authorization: Basic ${Buffer.from('u:open').toString('base64')}\r\n`;

  test('does not tell its code what opens it, and no cache that people share keeps its answers', async () => {
    react = answering('HTTP/1.1 200 OK\r\ncache-control: public, max-age=60, s-maxage=9\r\ncontent-length: 0\r\n\r\n');
    route = { ...route, protection: lock('link') };
    const got = await get('/a?x=1&veren_token=wrong&y', 'cookie: a=1; veren_token=open; b=2\r\nauthorization: own\r\n');
    expect(got).toMatch(/^cache-control: private, max-age=60\r$/m);
    expect(received).toMatch(/^GET \/a\?x=1&y HTTP/);
    expect(received).toMatch(/^cookie: a=1; b=2\r$/m);
    expect(received).toMatch(/^authorization: own\r$/m);
    expect(received).not.toMatch(/veren_token|open/);
    received = '';
    route = { ...route, protection: lock('password') };
    expect(statusOf(await get('/', basic))).toBe(200);
    expect(received).toMatch(/^GET \/ HTTP/);
    expect(received).not.toMatch(/authorization|open/);
  });

  test('does not tell it by an upgrade either', async () => {
    react = answering('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n');
    for (const [kind, headers] of [
      ['link', 'cookie: veren_token=open\r\n'],
      ['password', basic],
    ] as const) {
      route = { ...route, protection: lock(kind) };
      const upgrade = `GET /ws HTTP/1.1\r\n${HOST}connection: Upgrade\r\nupgrade: x\r\n${headers}\r\n`;
      expect(statusOf(await visit(upgrade))).toBe(426);
    }
    expect(received).not.toMatch(/veren_token|open|authorization/);
  });
});

test.each([
  ['101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ['an answer without an end', 'HTTP/1.1 200 OK\r\n\r\nmore'],
  ['nothing', ''],
])('a call by schedule is over in spite of %s', async (_, answer) => {
  react = answering(answer);
  const call = callPath({ ...leaseOf(), timeoutMs: 500 }, '/tick', '* * * * *');
  const over = await Promise.race([call.catch((error: Error) => error.message), sleep(3_000, 'never', { ref: false })]);
  expect(over).not.toBe('never');
});
