import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { parseHeaders } from '../../../contract/site-rules/headerRules.ts';
import { parseRedirects } from '../../../contract/site-rules/redirectRules.ts';
import { ruleOrderOf } from '../../../contract/site-rules/ruleOrder.ts';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { type SiteServer, startSiteServer } from '../../../local/sites/server.ts';
import { cloudFront, type StoredObject } from '../../support/cloudFront.ts';

/**
 * One suite for both servers of a site: every case is asked of the laptop's and of CloudFront's, the latter as
 * `test/support/cloudFront.ts` runs it, with the real code of its functions.
 */
interface Answer {
  readonly status: number;
  readonly location?: string | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
type Server = (files: Readonly<Record<string, string>>, path: string) => Promise<Answer>;

const DEPLOYMENT = '01kb3xv7q8w9e1r2t3y4u5i6o1';
const DOMAIN = 'sites.example.com';
const typeOf = (path: string) => (path.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');

/** Asked twice: the second answer comes from the cache. */
const askCloudFront: Server = async (files, path) => {
  const prefix = `__deployments/shop/${DEPLOYMENT}/files/`;
  const objects = new Map(
    Object.entries(files).map(([name, body]) => [prefix + name, { body, contentType: typeOf(name) }]),
  );
  const order = ruleOrderOf({
    redirects: parseRedirects(files._redirects ?? '').rules,
    headers: parseHeaders(files._headers ?? '').rules,
  });
  const edge = cloudFront({ domain: DOMAIN, objects });
  edge.routes.set('shop', { projectId: 'shop', deploymentId: DEPLOYMENT, ...(order && { rules: order }) });
  const [pathname = '', search] = path.split('?');
  const asked = pathname.split('/').map(encodeURIComponent).join('/') + (search === undefined ? '' : `?${search}`);
  const first = await edge.fetch(`https://shop.${DOMAIN}${asked}`);
  expect(await edge.fetch(`https://shop.${DOMAIN}${asked}`)).toEqual(first);
  const cookies = first.cookies.length > 0 ? { 'set-cookie': [...first.cookies] } : {};
  return { ...first, location: first.headers.location, headers: { ...first.headers, ...cookies } };
};

let dataDir: string;
let endpoint: Endpoint;
let s3: S3Client;
let sites: SiteServer;
let count = 0;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-same-'));
  const credentials = await createCredentialStore({ dataDir });
  endpoint = await startS3Endpoint({ dataDir, credentials });
  const access = { endpoint: endpoint.url, region: 'ap-south-1', forcePathStyle: true };
  s3 = new S3Client({ ...access, credentials: { ...credentials.root } });
  await s3.send(new CreateBucketCommand({ Bucket: 'veren-v2' }));
  sites = await startSiteServer({ dataDir, s3, bucket: 'veren-v2', onError: (e) => console.error(e) });
});
afterAll(async () => {
  await sites.close();
  await endpoint.close();
  s3.destroy();
  await rm(dataDir, { recursive: true });
});

const askLaptop: Server = async (files, path) => {
  const project = `shop-${++count}`;
  for (const [name, body] of Object.entries(files)) {
    const Key = `__outputs/${project}/${name}`;
    await s3.send(new PutObjectCommand({ Bucket: 'veren-v2', Key, Body: body, ContentType: typeOf(name) }));
  }
  const { port } = new URL((await sites.addressesOf({ projectId: project, deploymentId: 'd1' } as never, null)).url);
  const [pathname = '', search] = path.split('?');
  const asked = pathname.split('/').map(encodeURIComponent).join('/') + (search === undefined ? '' : `?${search}`);
  return new Promise((resolve, reject) => {
    const headers = { host: `${project}.localhost:${port}`, accept: 'text/html', connection: 'close' };
    request({ host: '127.0.0.1', port, path: asked, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      const { statusCode = 0, headers: got } = response;
      resolve({ status: statusCode, location: got.location, body, headers: got });
    })
      .on('error', reject)
      .end();
  });
};

const PAGES = { 'index.html': 'home', 'about.html': 'about', 'docs/index.html': 'docs', 'app.js': 'script' };
type Expected = readonly [status: number, bodyOrLocation: string];

const cases: [what: string, files: Record<string, string>, path: string, expected: Expected][] = [
  // Without rules.
  ['the front page', PAGES, '/', [200, 'home']],
  ['a file', PAGES, '/app.js', [200, 'script']],
  ['a clean URL', PAGES, '/about', [200, 'about']],
  ['a folder', PAGES, '/docs/', [200, 'docs']],
  ['a folder without its slash', PAGES, '/docs', [301, '/docs/']],
  ['a folder without its slash, with a query', { ...PAGES, _redirects: '/x /y' }, '/docs?a=1', [301, '/docs/?a=1']],
  ['a page with a slash', PAGES, '/about/', [301, '/about']],
  ['a route of an application', PAGES, '/user/jane.doe', [200, 'home']],
  ['a route of an application with a slash', PAGES, '/user/', [200, 'home']],
  ['a missing script', PAGES, '/gone.js', [404, '']],
  ['the site’s own page for what is missing', { ...PAGES, '404.html': 'own' }, '/nope', [404, 'own']],
  ['a name with a space and an umlaut', { ...PAGES, 'ä b.html': 'umlaut' }, '/ä b', [200, 'umlaut']],
  // Rules that come after files.
  ['a redirect', { ...PAGES, _redirects: '/old /about' }, '/old', [301, '/about']],
  ['a redirect keeps the query', { ...PAGES, _redirects: '/old /about 302' }, '/old?a=1&b', [302, '/about?a=1&b']],
  ['a redirect with a query of its own', { ...PAGES, _redirects: '/old /about?x=1' }, '/old?a=1', [301, '/about?x=1']],
  ['a redirect by a parameter', { ...PAGES, _redirects: '/s id=:id /p/:id 302' }, '/s?id=7', [302, '/p/7']],
  ['no redirect without the parameter', { ...PAGES, _redirects: '/s id=:id /p/:id 302' }, '/s', [200, 'home']],
  ['a placeholder', { ...PAGES, _redirects: '/:year/:slug /blog/:slug/:year' }, '/2026/x', [301, '/blog/x/2026']],
  ['a wildcard', { ...PAGES, _redirects: '/news/* /blog/:splat' }, '/news/a/b', [301, '/blog/a/b']],
  ['another host', { ...PAGES, _redirects: '/go https://example.org/x 308' }, '/go', [308, 'https://example.org/x']],
  [
    'no other host by two slashes',
    { ...PAGES, _redirects: '/go/* /:splat' },
    '/go//evil.example',
    [301, '/evil.example'],
  ],
  ['a rewrite', { ...PAGES, _redirects: '/blog/* /about 200' }, '/blog/x', [200, 'about']],
  ['a rewrite to a folder', { ...PAGES, _redirects: '/handbook /docs 200' }, '/handbook', [200, 'docs']],
  ['an application that says so itself', { ...PAGES, _redirects: '/* /index.html 200' }, '/a/b', [200, 'home']],
  ['a page with another status', { ...PAGES, _redirects: '/gone /about.html 410' }, '/gone', [410, 'about']],
  ['a rule for a folder', { ...PAGES, _redirects: '/old/ /about' }, '/old/', [301, '/about']],
  [
    'a rule for an index that is not there',
    { ...PAGES, _redirects: '/x/index.html /about' },
    '/x/index.html',
    [301, '/about'],
  ],
  ['a file goes before a rule', { ...PAGES, _redirects: '/about /docs' }, '/about', [200, 'about']],
  ['a rule goes before the 404 page', { ...PAGES, '404.html': 'own', _redirects: '/a /b' }, '/a', [301, '/b']],
  // Forced rules.
  ['a forced redirect', { ...PAGES, _redirects: '/about /docs 302!' }, '/about', [302, '/docs']],
  ['a forced redirect of a file', { ...PAGES, _redirects: '/app.js /new.js 301!' }, '/app.js', [301, '/new.js']],
  ['a forced rewrite', { ...PAGES, _redirects: '/* /about.html 503!' }, '/docs/', [503, 'about']],
  ['a forced rule of the front page', { ...PAGES, _redirects: '/ /de/ 302!' }, '/', [302, '/de/']],
  ['a forced rule leaves others alone', { ...PAGES, _redirects: '/about /docs 302!' }, '/app.js', [200, 'script']],
  ['a forced rule by a parameter', { ...PAGES, _redirects: '/ lang=de /de 302!' }, '/?lang=de', [302, '/de']],
  ['and the page without it', { ...PAGES, _redirects: '/ lang=de /de 302!' }, '/?lang=en', [200, 'home']],
  ['a route of an application beside forced rules', { ...PAGES, _redirects: '/a /b 301!' }, '/user/7', [200, 'home']],
  ['a folder without its slash beside forced rules', { ...PAGES, _redirects: '/a /b 301!' }, '/docs', [301, '/docs/']],
  // Lines that cannot hold.
  ['a condition', { ...PAGES, _redirects: '/ /de 302 Language=de' }, '/', [200, 'home']],
  ['a proxy', { ...PAGES, _redirects: '/api/* https://api.example.com/:splat 200' }, '/api/x.json', [404, '']],
  ['the rules themselves', { ...PAGES, _redirects: '/a /b', _headers: '/*\n  X-A: 1' }, '/_redirects', [404, '']],
];

describe.each<[string, Server]>([
  ['laptop', askLaptop],
  ['CloudFront', askCloudFront],
])('%s', (_, ask) => {
  test.each(cases)('%s', async (_what, files, path, [status, told]) => {
    const { location, body, ...answer } = await ask(files, path);
    const text = status === 404 && told === '' ? '' : body;
    expect([answer.status, location ?? text]).toEqual([status, told]);
  });

  const HEADERS = `/*
  X-Frame-Options: DENY
  X-Seen: all
/docs/*
  X-Seen: docs
  ! X-Frame-Options
/about
  Cache-Control: public, max-age=60
  Set-Cookie: a=1
  Set-Cookie: b=2; Path=/
/app.js
  Content-Type: application/x-own
/user/:name
  X-User: :name
`;
  test.each<[string, string, Record<string, unknown>]>([
    ['the front page', '/', { 'x-frame-options': 'DENY', 'x-seen': 'all' }],
    ['joined, and one taken away', '/docs/', { 'x-frame-options': undefined, 'x-seen': 'all, docs' }],
    ['by the address, not by the file', '/about', { 'cache-control': 'public, max-age=60' }],
    ['cookies, each a field of its own', '/about', { 'set-cookie': ['a=1', 'b=2; Path=/'] }],
    ['the last content type', '/app.js', { 'content-type': 'application/x-own' }],
    ['of a route of an application', '/user/jane', { 'x-user': 'jane', 'x-seen': 'all' }],
    ['of a redirect', '/old', { location: '/about', 'x-seen': 'all' }],
    ['of the 404 page', '/gone.js', { 'x-seen': 'all' }],
  ])('headers: %s', async (_what, path, expected) => {
    const isRoute = path.startsWith('/user');
    const files = { ...PAGES, _headers: HEADERS, _redirects: '/old /about', ...(!isRoute && { '404.html': 'own' }) };
    const { headers } = await ask(files, path);
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, headers[name]]))).toEqual(expected);
  });
});

test('a file that is too large for the site function comes from the bucket, past rules and headers', async () => {
  const prefix = `__deployments/shop/${DEPLOYMENT}/files/`;
  const large = { body: 'large', size: 5_000_000, contentType: 'application/wasm' };
  const objects = new Map<string, StoredObject>([
    [`${prefix}game.wasm`, large],
    [`${prefix}long.html`, large],
    [`${prefix}_headers`, { body: '/*\n  X-A: 1', contentType: 'text/plain' }],
    [`${prefix}_redirects`, { body: '/play /game.wasm 200\n/forced /x 301!', contentType: 'text/plain' }],
  ]);
  const edge = cloudFront({ domain: DOMAIN, objects });
  edge.routes.set('shop', { projectId: 'shop', deploymentId: DEPLOYMENT, rules: 'first' });
  const shop = `https://shop.${DOMAIN}`;
  expect(await edge.fetch(`${shop}/game.wasm`)).toMatchObject({ status: 200, body: 'large' });
  expect(await edge.fetch(`${shop}/play`)).toMatchObject({ status: 302, headers: { location: '/game.wasm' } });
  expect(await edge.fetch(`${shop}/long`)).toMatchObject({ status: 302, headers: { location: '/long.html' } });
});

test('without a domain, rules lead to places below the site, and cookies are not set for all sites', async () => {
  const prefix = `__deployments/shop/${DEPLOYMENT}/files/`;
  const objects = new Map([
    [`${prefix}about.html`, { body: 'about' }],
    [`${prefix}_redirects`, { body: '/old /about 302\n/out https://example.org/ 302' }],
    [`${prefix}_headers`, { body: '/*\n  Set-Cookie: a=1\n  X-A: 1' }],
  ]);
  const edge = cloudFront({ domain: '', objects });
  edge.routes.set('shop', { projectId: 'shop', deploymentId: DEPLOYMENT, rules: 'first' });
  edge.routes.set('x7--shop', { projectId: 'shop', deploymentId: DEPLOYMENT, rules: 'first' });
  const host = 'https://d1.cloudfront.net';
  expect((await edge.fetch(`${host}/shop/old`)).headers.location).toBe('/shop/about');
  expect((await edge.fetch(`${host}/x7--shop/old`)).headers.location).toBe('/x7--shop/about');
  expect((await edge.fetch(`${host}/shop/out`)).headers.location).toBe('https://example.org/');
  const about = await edge.fetch(`${host}/shop/about`);
  expect([about.body, about.cookies, about.headers['x-a']]).toEqual(['about', [], '1']);
});

test('what the site function answers is kept at the edge and not in browsers', async () => {
  const objects = new Map([
    [`__deployments/shop/${DEPLOYMENT}/files/about.html`, { body: 'about' }],
    [`__deployments/shop/${DEPLOYMENT}/files/_headers`, { body: '/*\n  X-A: 1' }],
  ]);
  const edge = cloudFront({ domain: DOMAIN, objects });
  edge.routes.set('shop', { projectId: 'shop', deploymentId: DEPLOYMENT, rules: 'first' });
  const shown = await edge.fetch(`https://shop.${DOMAIN}/about`);
  expect(shown.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
  expect([...edge.cache.values()][0]?.headers['cache-control']).toContain('s-maxage=86400');
});
