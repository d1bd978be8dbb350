import { createHash } from 'node:crypto';
import type { SiteRoute } from '../../contract/siteRoute.ts';
import { viewerRequestCode, viewerResponseCode } from '../../lib/constructs/sites/edge-code.ts';
import { cloudFront, runViewerRequest, type StoredObject } from '../support/cloudFront.ts';

const noTable = {
  async get(): Promise<string> {
    throw new Error('KeyNotFound');
  },
};

async function ask(domain: string, uri: string, headers: Record<string, string> = {}, search = '') {
  const answer = await runViewerRequest(domain, noTable, { uri, headers, search });
  return answer.statusCode ? [answer.statusCode, answer.headers.location?.value] : answer.uri;
}

describe('with a domain and no route: one host per project', () => {
  const at = (host: string, uri: string) => ask('sites.example.com', uri, { host });
  test.each([
    ['shop.sites.example.com', '/', '/__outputs/shop/index.html'],
    ['shop.sites.example.com', '/assets/app.js', '/__outputs/shop/assets/app.js'],
    ['my-shop-2.sites.example.com', '/docs/', '/__outputs/my-shop-2/docs/index.html'],
  ])('%s%s', async (host, uri, key) => {
    expect(await at(host, uri)).toBe(key);
  });
  test.each(['/_headers', '/_redirects', '/%5Fheaders', '/_redirect%73', '/_headers.br', '//_redirects'])(
    'rules are no part of a site: %s',
    async (uri) => {
      expect(await at('shop.sites.example.com', uri)).toEqual([404, undefined]);
      expect(await ask('', `/shop${uri}`, { host: 'd1.cloudfront.net' })).toEqual([404, undefined]);
    },
  );
  test.each([
    'sites.example.com',
    'a.b.sites.example.com',
    '-x.sites.example.com',
    'evilsites.example.com',
    'shop.example.com',
    'secret--shop.sites.example.com',
    `${'a'.repeat(64)}.sites.example.com`,
  ])('no site at %s', async (host) => {
    expect(await at(host, '/')).toEqual([404, undefined]);
  });
});

describe('without a domain: one path per site', () => {
  const host = 'd1.cloudfront.net';
  test('the first part of the path is the project', async () => {
    expect(await ask('', '/shop/', { host })).toBe('/__outputs/shop/index.html');
    expect(await ask('', '/shop/a/b.css', { host })).toBe('/__outputs/shop/a/b.css');
  });
  test('a slash is added, or relative links would be wrong; the query stays', async () => {
    expect(await ask('', '/shop', { host }, '?a=1&b')).toEqual([302, '/shop/?a=1&b']);
  });
  test('absolute paths of assets are sent to the site of the page that asks', async () => {
    const page = (site: string) => ({ host, referer: `https://${host}/${site}/`, 'sec-fetch-dest': 'script' });
    expect(await ask('', '/assets/app.js', page('shop'))).toEqual([302, '/shop/assets/app.js']);
    expect(await ask('', '/assets/app.js', page('x7--shop'))).toEqual([302, '/x7--shop/assets/app.js']);
  });
  test('but pages are not, nor requests from elsewhere, nor the site’s own paths', async () => {
    const referer = `https://${host}/shop/`;
    expect(await ask('', '/blog/', { host, referer, 'sec-fetch-dest': 'document' })).toBe('/__outputs/blog/index.html');
    expect(
      await ask('', '/blog/a.js', { host, referer: 'https://elsewhere.example/shop/', 'sec-fetch-dest': 'script' }),
    ).toBe('/__outputs/blog/a.js');
    expect(await ask('', '/shop/a.js', { host, referer, 'sec-fetch-dest': 'script' })).toBe('/__outputs/shop/a.js');
  });
  test.each(['/', '/Shop/', '/__records/x.json', '/..%2f/', '/x7--shop/'])('no site at %s', async (uri) => {
    expect(await ask('', uri, { host })).toEqual([404, undefined]);
  });
});

test('nothing outside the site can be asked for', async () => {
  for (const uri of ['/../__records/a.json', '/a/%2e%2e/b', '/..%2f..', '/a\\..\\b', '/.'])
    expect(await ask('sites.example.com', uri, { host: 'shop.sites.example.com' })).toEqual([404, undefined]);
  for (const uri of ['/__records/a.json', '//__logs/x', '/a..b', '/.well-known/x'])
    expect(await ask('sites.example.com', uri, { host: 'shop.sites.example.com' })).toMatch(/^\/__outputs\/shop\//);
});

test('the code fits: CloudFront takes 10 KB', () => {
  const domain = 'a-rather-long-domain-name.sites.example.com';
  expect(Buffer.byteLength(viewerRequestCode(domain))).toBeLessThan(10_240);
  expect(Buffer.byteLength(viewerResponseCode(domain))).toBeLessThan(10_240);
});

// --- routes ---------------------------------------------------------------------------------------------------------

const DOMAIN = 'sites.example.com';
const [V1, V2] = ['01kb3xv7q8w9e1r2t3y4u5i6o1', '01kb3xv7q8w9e1r2t3y4u5i6o2'];
const IMMUTABLE = { contentType: 'text/javascript', cacheControl: 'public, max-age=31536000, immutable' };
const route = (deploymentId: string, more: Partial<SiteRoute> = {}): SiteRoute => ({
  projectId: 'shop',
  deploymentId,
  ...more,
});
const lock = (kind: 'link' | 'password', secret: string) => ({
  kind,
  salt: 'salt',
  hash: createHash('sha256').update(`salt${secret}`).digest('hex'),
});

function stage(domain = DOMAIN) {
  const objects = new Map<string, StoredObject>();
  for (const [id, name] of [
    [V1, 'v1'],
    [V2, 'v2'],
  ] as const) {
    const files = `__deployments/shop/${id}/files/`;
    objects.set(`${files}index.html`, { body: `page ${name}` });
    objects.set(`${files}about.html`, { body: `about ${name}` });
    objects.set(`${files}plain.js`, { body: `plain ${name}` });
    objects.set(`${files}app.${name}.js`, { body: `app ${name}`, ...IMMUTABLE });
    objects.set(`__deployments/shop/${id}/manifest.json`, { body: 'secret manifest' });
  }
  objects.delete(`__deployments/shop/${V2}/files/plain.js`);
  return cloudFront({ domain, objects });
}
const shop = `https://shop.${DOMAIN}`;

test('a host shows the deployment that its route names, from the next request on', async () => {
  const edge = stage();
  edge.routes.set('shop', route(V1)).set('x7--shop', route(V2, { noindex: true }));
  expect(await edge.fetch(`${shop}/`)).toMatchObject({ status: 200, body: 'page v1' });
  expect(await edge.fetch(`https://x7--shop.${DOMAIN}/about`)).toMatchObject({ status: 200, body: 'about v2' });
  edge.routes.set('shop', route(V2));
  expect(await edge.fetch(`${shop}/`)).toMatchObject({ body: 'page v2' });
  edge.routes.set('shop', route(V1));
  expect(await edge.fetch(`${shop}/`)).toMatchObject({ body: 'page v1' });
});

test('nothing beside the files of a deployment is served', async () => {
  const edge = stage();
  edge.routes.set('shop', route(V1));
  for (const path of ['/../manifest.json', '/%2e%2e/manifest.json', '/manifest.json'])
    expect((await edge.fetch(`${shop}${path}`)).body).not.toContain('secret');
});

test('previews are not listed by search engines, production and own domains are; the cache is shared', async () => {
  const edge = stage();
  edge.routes.set('shop', route(V1)).set('x7--shop', route(V1, { noindex: true }));
  edge.routes.set('xn--bcher-kva.example', route(V1));
  expect((await edge.fetch(`https://x7--shop.${DOMAIN}/`)).headers['x-robots-tag']).toBe('noindex');
  expect((await edge.fetch(`${shop}/`)).headers['x-robots-tag']).toBeUndefined();
  const own = await edge.fetch('https://xn--bcher-kva.example/');
  expect([own.body, own.headers['x-robots-tag']]).toEqual(['page v1', undefined]);
  expect(edge.cache.size).toBe(1);
  const byPath = stage('');
  byPath.routes.set('x7--shop', route(V1));
  expect((await byPath.fetch('https://d1.cloudfront.net/x7--shop/')).headers['x-robots-tag']).toBe('noindex');
});

test('what an open page loads comes from the release before, and only what has a hash in its name', async () => {
  const edge = stage();
  const until = Date.now() / 1_000 + 60;
  edge.routes.set('shop', route(V2, { before: [{ deploymentId: V1, until: Math.floor(until) }] }));
  expect(await edge.fetch(`${shop}/app.v1.js`)).toMatchObject({ status: 200, body: 'app v1' });
  expect(await edge.fetch(`${shop}/app.v2.js`)).toMatchObject({ status: 200, body: 'app v2' });
  expect((await edge.fetch(`${shop}/plain.js`)).status).toBe(404);
  edge.routes.set('shop', route(V2, { before: [{ deploymentId: V1, until: 1_000 }] }));
  expect((await edge.fetch(`${shop}/app.v1.js`)).status).toBe(404);
});

test('a preview of the same deployment, asked first, does not hide the assets of the release before', async () => {
  const edge = stage();
  const until = Math.floor(Date.now() / 1_000 + 60);
  edge.routes.set('x7--shop', route(V2)).set('shop', route(V2, { before: [{ deploymentId: V1, until }] }));
  expect((await edge.fetch(`https://x7--shop.${DOMAIN}/app.v1.js`)).status).toBe(404);
  expect(await edge.fetch(`${shop}/app.v1.js`)).toMatchObject({ status: 200, body: 'app v1' });
});

test('a visitor cannot say what the site function believes', async () => {
  const edge = stage();
  edge.routes.set('shop', route(V2));
  const headers = { 'x-veren-before': V1, 'x-veren-base': '//evil.example', 'x-veren-rules': 'f' };
  expect((await edge.fetch(`${shop}/app.v1.js`, { headers })).status).toBe(404);
  expect((await edge.fetch(`${shop}/about/`, { headers })).headers.location).toBe('/about');
});

test('a preview with a link opens by it, then by its cookie, and nothing is cached past the lock', async () => {
  const edge = stage();
  edge.routes.set('x7--shop', route(V1, { protection: lock('link', 'tok-en_1') }));
  const preview = `https://x7--shop.${DOMAIN}`;
  expect((await edge.fetch(`${preview}/`)).status).toBe(401);
  const opened = await edge.fetch(`${preview}/about?a=1&veren_token=tok-en_1`);
  expect(opened).toMatchObject({ status: 302, headers: { location: '/about?a=1', 'cache-control': 'no-store' } });
  const [cookie = ''] = opened.cookies;
  expect(cookie).toMatch(/^veren_token=tok-en_1; Path=\/; .*Secure; HttpOnly; SameSite=Lax$/);
  const headers = { cookie: `a=b; ${cookie.split(';')[0]}` };
  expect(await edge.fetch(`${preview}/about`, { headers })).toMatchObject({ status: 200, body: 'about v1' });
  expect((await edge.fetch(`${preview}/about`)).status).toBe(401);
  expect((await edge.fetch(`${preview}/about?veren_token=wrong`)).status).toBe(401);
  expect((await edge.fetch(`${preview}/about`, { headers: { cookie: 'veren_token=wrong' } })).status).toBe(401);
  // No way to another host by a path with two slashes.
  expect((await edge.fetch(`${preview}//evil.example?veren_token=tok-en_1`)).headers.location).toBe('/evil.example');
  expect((await edge.fetch(`${preview}/\\evil.example?veren_token=tok-en_1`)).headers.location).toBe('/evil.example');
});

test('a preview with a password asks for it, with any user', async () => {
  const edge = stage();
  edge.routes.set('x7--shop', route(V1, { protection: lock('password', 'pä:ss') }));
  const visit = (login?: string) =>
    edge.fetch(`https://x7--shop.${DOMAIN}/`, {
      headers: login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
    });
  const asked = await visit();
  expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, 'Basic realm="preview", charset="UTF-8"']);
  expect((await visit('me:wrong')).status).toBe(401);
  expect((await visit('')).status).toBe(401);
  expect(await visit('me:pä:ss')).toMatchObject({ status: 200, body: 'page v1' });
});

test('maintenance is a page of its own, and a host without a site says so', async () => {
  const edge = stage();
  edge.routes.set('shop', route(V1, { maintenance: true }));
  const shown = await edge.fetch(`${shop}/about`);
  expect(shown).toMatchObject({ status: 503, headers: { 'retry-after': '600', 'cache-control': 'no-store' } });
  expect(shown.body).toContain('under maintenance');
  expect(await edge.fetch(`https://other.${DOMAIN}/`)).toMatchObject({ status: 404, body: 'There is nothing here.\n' });
  expect((await edge.fetch(`https://x9--other.${DOMAIN}/`)).body).toContain('nothing here yet');
});

test('a table that cannot be read: production goes on from its copy, previews are not there', async () => {
  const edge = stage();
  edge.objects.set('__outputs/shop/index.html', { body: 'the copy' });
  edge.routes.set('shop', route(V1)).set('x7--shop', route(V2, { protection: lock('link', 'x') }));
  edge.loseTable();
  expect(await edge.fetch(`${shop}/`)).toMatchObject({ status: 200, body: 'the copy' });
  expect((await edge.fetch(`https://x7--shop.${DOMAIN}/`)).status).toBe(404);
});

test('own domains work beside both kinds of address', async () => {
  for (const domain of [DOMAIN, '']) {
    const edge = stage(domain);
    edge.routes.set('www.shop.example', route(V1));
    expect(await edge.fetch('https://www.shop.example/about')).toMatchObject({ status: 200, body: 'about v1' });
    expect((await edge.fetch('https://www.shop.example/about/')).headers.location).toBe('/about');
  }
});
