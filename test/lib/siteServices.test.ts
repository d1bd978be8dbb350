import { createHash } from 'node:crypto';
import { encodeRoute, type SiteRoute } from '../../contract/siteRoute.ts';
import { viewerRequestCode } from '../../lib/constructs/sites/edge-code.ts';
import type { ChosenOrigins } from '../../local/emulator/cloudfront/edgeFunction.ts';
import { runViewerRequest } from '../support/cloudFront.ts';

const DOMAIN = 'sites.example.com';
const HOST = `shop.${DOMAIN}`;
const DEPLOYMENT = '01kb3xv7q8w9e1r2t3y4u5i6o1';
const URL_HOST = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.ap-south-1.on.aws';
const route = (more: Partial<SiteRoute> = {}): SiteRoute => ({
  projectId: 'shop',
  deploymentId: DEPLOYMENT,
  service: { prefix: '/api', version: `${DEPLOYMENT}-3`, address: `s3cret@${URL_HOST}` },
  ...more,
});
const whole = { service: { prefix: '/', version: `${DEPLOYMENT}-3`, address: `s3cret@${URL_HOST}` } };

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly search?: string;
}

async function ask(
  uri: string,
  shown: SiteRoute | null,
  asked: Asked = {},
  { services = true, domain = DOMAIN }: { services?: boolean | 'balanced'; domain?: string } = {},
) {
  const origins: ChosenOrigins = {};
  const table = {
    async get() {
      if (!shown) throw new Error('KeyNotFound');
      return encodeRoute(shown);
    },
  };
  const visit = { ...asked, uri, headers: { host: domain ? HOST : 'd1.cloudfront.net', ...asked.headers } };
  return { answer: await runViewerRequest(domain, table, visit, origins, { services }), origins };
}

test.each([
  ['/api', true],
  ['/api/', true],
  ['/api/orders/1', true],
  ['/api/../x', true],
  ['/apis', false],
  ['/', false],
  ['/docs/api/x', false],
])('a prefix ends at a slash: %s', async (uri, isService) => {
  const { answer, origins } = await ask(uri, route());
  expect(origins.updated?.domainName).toBe(isService ? URL_HOST : undefined);
  expect(answer.uri === uri).toBe(isService);
});

test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s reaches the backend', async (method) => {
  const { answer, origins } = await ask('/api/orders', route(), { method, search: '?a=1&b' });
  expect(answer).toMatchObject({ uri: '/api/orders', querystring: { a: { value: '1' }, b: { value: '' } } });
  expect(origins.updated).toEqual({
    domainName: URL_HOST,
    originAccessControlConfig: { enabled: false },
    customOriginConfig: { port: 443, protocol: 'https', sslProtocols: ['TLSv1.2'] },
    timeouts: { readTimeout: 60, keepAliveTimeout: 30, connectionTimeout: 10 },
  });
  expect(origins.group).toBeUndefined();
});

test('the whole host goes to a backend without a site', async () => {
  for (const uri of ['/', '/_headers', '/anything.html', '/a/%2e%2e/b'])
    expect((await ask(uri, route(whole))).origins.updated?.domainName).toBe(URL_HOST);
});

test('the backend gets what the visitor sent, the secret of its version, and the name it was called by', async () => {
  const sent = { authorization: 'Bearer t', 'content-type': 'application/json', cookie: 'a=1; veren_token=x' };
  const { answer } = await ask('/api', route(), { method: 'POST', headers: sent });
  expect(answer.headers).toMatchObject({
    authorization: { value: 'Bearer t' },
    'content-type': { value: 'application/json' },
    'x-veren-origin': { value: 's3cret' },
    'x-forwarded-host': { value: HOST },
  });
  expect(answer.cookies).toEqual({ a: { value: '1' } });
});

test('no two requests have the same key of the cache', async () => {
  const [one, two] = [await ask('/api/me', route()), await ask('/api/me', route())];
  const keyOf = ({ answer }: typeof one) => answer.headers['x-veren-once']?.value;
  expect(keyOf(one)).toMatch(/./);
  expect(keyOf(one)).not.toBe(keyOf(two));
});

test('a visitor cannot send what only this function or a schedule sends', async () => {
  const forged = Object.fromEntries(
    ['origin', 'once', 'cron', 'before', 'rules', 'base'].map((name) => [`x-veren-${name}`, 'forged']),
  );
  const headers = { ...forged, 'x-forwarded-host': 'evil.example', 'x-forwarded-prefix': '/evil' };
  for (const uri of ['/api/x', '/x.js']) {
    const { answer } = await ask(uri, route(), { headers });
    expect(JSON.stringify(answer.headers)).not.toMatch(/forged|evil/);
  }
});

test('what reaches S3 has nothing of the visitor’s but what it asks for', async () => {
  const headers = {
    'x-amz-content-sha256': 'wrong',
    'x-amz-security-token': 'x',
    authorization: 'AWS4-HMAC-SHA256 x',
    cookie: 'a=1',
    range: 'bytes=0-1',
    'if-none-match': '"1"',
    'accept-encoding': 'br',
  };
  for (const shown of [route(), null]) {
    const { answer, origins } = await ask('/x.js', shown, { headers });
    expect(Object.keys(answer.headers).sort()).toEqual([
      'accept-encoding',
      'host',
      'if-none-match',
      'range',
      'x-veren-base',
    ]);
    expect(answer.cookies).toEqual({});
    expect(origins.group?.originIds.map(({ originId }) => originId)).toEqual(['files', 'site-function']);
  }
});

test('rules of a site choose their origins as before', async () => {
  const first = await ask('/x', route({ rules: 'first' }));
  expect(first.origins.group?.originIds[0]).toEqual({ originId: 'site-function' });
  const after = await ask('/x/', route({ rules: 'after' }));
  expect(after.origins).toEqual({ selected: 'site-function' });
});

test('a site takes no forms', async () => {
  expect((await ask('/contact', route(), { method: 'POST' })).answer).toMatchObject({
    statusCode: 405,
    headers: { allow: { value: 'GET, HEAD' } },
  });
  expect((await ask('/contact', null, { method: 'DELETE' })).answer.statusCode).toBe(405);
});

describe('a locked preview', () => {
  const lock = (kind: 'link' | 'password') => ({
    kind,
    salt: 'salt',
    hash: createHash('sha256').update('saltopen').digest('hex'),
  });
  test('stays locked for its backend, too', async () => {
    for (const kind of ['link', 'password'] as const) {
      const { answer, origins } = await ask('/api', route({ protection: lock(kind) }), { method: 'POST' });
      expect([answer.statusCode, origins]).toEqual([401, {}]);
    }
  });
  test('does not tell its code what opens it', async () => {
    const authorization = `Basic ${Buffer.from('u:open').toString('base64')}`;
    const byPassword = await ask('/api', route({ protection: lock('password') }), { headers: { authorization } });
    expect(byPassword.origins.updated?.domainName).toBe(URL_HOST);
    expect(byPassword.answer.headers.authorization).toBeUndefined();
    const headers = { cookie: 'veren_token=open; b=2', authorization: 'Bearer own' };
    const byLink = await ask('/api', route({ protection: lock('link') }), { headers });
    expect(byLink.answer.cookies).toEqual({ b: { value: '2' } });
    expect(byLink.answer.headers.authorization?.value).toBe('Bearer own');
  });
});

test('maintenance is for the backend, too', async () => {
  expect((await ask('/api', route({ maintenance: true }))).answer.statusCode).toBe(503);
});

describe('without a domain', () => {
  test('the backend is told its part of the path', async () => {
    const { answer } = await ask('/shop/api/x', route(), {}, { domain: '' });
    expect(answer.uri).toBe('/api/x');
    expect(answer.headers['x-forwarded-prefix']).toEqual({ value: '/shop' });
  });
  test('a form that a page sends to an absolute path stays a form', async () => {
    const headers = { referer: 'https://d1.cloudfront.net/shop/', 'sec-fetch-dest': 'empty' };
    const { answer } = await ask('/api/x', null, { method: 'POST', headers }, { domain: '' });
    expect(answer).toMatchObject({ statusCode: 307, headers: { location: { value: '/shop/api/x' } } });
  });
});

test('a backend without an address, or where the distribution takes none, is not there', async () => {
  const bare = { service: { prefix: '/api', version: `${DEPLOYMENT}-3` } };
  expect((await ask('/api', route(bare))).answer.statusCode).toBe(503);
  expect((await ask('/api', route(), {}, { services: false })).answer.statusCode).toBe(503);
});

describe('a backend that is always on', () => {
  const balanced = route({ service: { prefix: '/api', version: `${DEPLOYMENT}-3`, address: 's3cret@balancer' } });
  test('is asked by the load balancer’s origin, with the secret that its rule is for', async () => {
    const { answer, origins } = await ask('/api/x', balanced, { method: 'POST' }, { services: 'balanced' });
    expect(origins).toEqual({ selected: 'balancer' });
    expect(answer.headers).toMatchObject({
      'x-veren-origin': { value: 's3cret' },
      'x-forwarded-host': { value: HOST },
    });
  });
  test('gets WebSockets: nothing that opens one is taken away', async () => {
    const headers = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      origin: `https://${HOST}`,
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'chat',
      'sec-websocket-extensions': 'permessage-deflate',
    };
    const { answer } = await ask('/api/live', balanced, { headers }, { services: 'balanced' });
    expect(answer.uri).toBe('/api/live');
    for (const [name, value] of Object.entries(headers)) expect(answer.headers[name]).toEqual({ value });
  });
  test('is not there where the stage has no load balancer any more', async () => {
    const { answer, origins } = await ask('/api/x', balanced);
    expect([answer.statusCode, origins]).toEqual([503, {}]);
  });
  test('leaves those that scale to zero where they are', async () => {
    const { origins } = await ask('/api/x', route(), {}, { services: 'balanced' });
    expect(origins.updated?.domainName).toBe(URL_HOST);
  });
});

test('with backends the code still fits into CloudFront’s 10 KB', () => {
  const domain = 'a-rather-long-domain-name.sites.example.com';
  expect(Buffer.byteLength(viewerRequestCode(domain, { services: 'balanced' }))).toBeLessThan(10_240);
});
