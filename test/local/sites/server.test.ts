import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { SitePorts } from '../../../local/sites/ports.ts';
import { type SiteServer, startSiteServer } from '../../../local/sites/server.ts';

const Bucket = 'veren-v2';
const SCRIPT = 'console.log("hello");'.repeat(500);
let dataDir: string;
let endpoint: Endpoint;
let s3: S3Client;
let sites: SiteServer;
let now = Date.now();

const start = async () => {
  sites = await startSiteServer({
    dataDir,
    s3,
    bucket: Bucket,
    clock: { now: () => now },
    onError: (e) => console.error(e),
  });
  await sites.resume();
};
const urlOf = async (project: string) =>
  (await sites.addressesOf({ projectId: project, deploymentId: 'd1', plan: null }, null)).url;
const put = (Key: string, Body: string | Buffer, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key: `__outputs/${Key}`, Body, ...more }));
const html = (key: string, body: string) => put(key, body, { ContentType: 'text/html; charset=utf-8' });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-sites-'));
  const credentials = await createCredentialStore({ dataDir });
  endpoint = await startS3Endpoint({ dataDir, credentials });
  s3 = new S3Client({
    endpoint: endpoint.url,
    region: 'ap-south-1',
    forcePathStyle: true,
    credentials: { ...credentials.root },
  });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await start();
  await html('spa/index.html', '<title>spa</title>');
  await html('spa/docs/index.html', 'docs');
  await html('spa/about.html', 'about');
  await put('spa/app.js', SCRIPT, {
    ContentType: 'text/javascript; charset=utf-8',
    CacheControl: 'public, max-age=31536000, immutable',
  });
  await put('spa/app.js.br', brotliCompressSync(SCRIPT), {
    ContentType: 'text/javascript; charset=utf-8',
    ContentEncoding: 'br',
  });
  await put('spa/app.js.gz', gzipSync(SCRIPT), {
    ContentType: 'text/javascript; charset=utf-8',
    ContentEncoding: 'gzip',
  });
  await put('spa/own.css', 'a{}');
  await put('spa/own.css.gz', 'not a variant');
  await put('spa/packed.json', gzipSync('{"a":1}'), { ContentType: 'application/json', ContentEncoding: 'gzip' });
  await put('spa/ä b.txt', 'umlaut');
  await put('spa/deep/a//b.bin', '0123456789');
  await html('docs/index.html', 'docs site');
  await html('docs/404.html', 'own 404');
  await html('docs/new.html', 'new');
  await put('docs/_redirects', '/old /new 302\n/forced /new 200!\n/proxied/* /new.html 200\n');
  await put('docs/_headers', '/*\n  X-Frame-Options: DENY\n/new\n  Cache-Control: no-store\n');
  await html('docs/forced.html', 'shadowed');
  await html('spa-private/index.html', 'another project');
});
afterAll(async () => {
  await sites.close();
  s3.destroy();
  await endpoint.close();
  await rm(dataDir, { recursive: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  raw: Buffer;
}
/** Not `fetch`: it would normalise paths, follow redirects and decode bodies. */
async function get(
  project: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const { port } = new URL(await urlOf(project));
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, method, headers }, async (res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of res) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks);
      resolve({ status: res.statusCode!, headers: res.headers, body: raw.toString(), raw });
    });
    req.on('error', reject).end();
  });
}
const page = { accept: 'text/html,*/*' };
const brief = async (...parameters: Parameters<typeof get>) => {
  const { status, headers, body } = await get(...parameters);
  return headers.location ? `${status} ${headers.location}` : `${status} ${body}`;
};

test('files, folders, clean URLs and client routes', async () => {
  expect(await brief('spa', '/')).toBe('200 <title>spa</title>');
  expect(await brief('spa', '/index.html')).toBe('200 <title>spa</title>');
  expect(await brief('spa', '/docs/')).toBe('200 docs');
  expect(await brief('spa', '/docs?x=1')).toBe('301 /docs/?x=1');
  expect(await brief('spa', '/about')).toBe('200 about');
  expect(await brief('spa', '/about/')).toBe('301 /about');
  expect(await brief('spa', '/%C3%A4%20b.txt')).toBe('200 umlaut');
  expect(await brief('spa', '/users/7', page)).toBe('200 <title>spa</title>');
  expect((await get('spa', '/users/7', { accept: 'application/json' })).status).toBe(404);
  expect((await get('spa', '/missing.js', page)).status).toBe(404);
  expect(await brief('docs', '/users/7', page)).toBe('404 own 404');
  expect((await get('unknown', '/', page)).body).toContain('There is nothing here yet.');
});

test('headers: types, caching, conditions, ranges, HEAD', async () => {
  const script = await get('spa', '/app.js');
  expect(script).toMatchObject({ status: 200, body: SCRIPT });
  expect(script.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': String(SCRIPT.length),
    'x-content-type-options': 'nosniff',
    vary: 'Accept-Encoding',
  });
  expect((await get('spa', '/own.css')).headers['content-type']).toBe('text/css; charset=utf-8');
  expect((await get('spa', '/')).headers['cache-control']).toBe('public, max-age=0, must-revalidate');
  const etag = script.headers.etag as string;
  expect(await get('spa', '/app.js', { 'if-none-match': etag })).toMatchObject({ status: 304, body: '' });
  expect((await get('spa', '/app.js', { 'if-modified-since': script.headers['last-modified'] as string })).status).toBe(
    304,
  );
  expect((await get('spa', '/app.js', { 'if-none-match': '"x"' })).status).toBe(200);
  const part = await get('spa', '/deep/a//b.bin', { range: 'bytes=2-4' });
  expect([part.status, part.body, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
  expect((await get('spa', '/deep/a//b.bin', { range: 'bytes=10-' })).status).toBe(416);
  expect((await get('spa', '/deep/a//b.bin', { range: 'bytes=2-4', 'if-range': '"old"' })).body).toBe('0123456789');
  const head = await get('spa', '/app.js', {}, 'HEAD');
  expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', String(SCRIPT.length)]);
  expect(await get('spa', '/app.js', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
});

test('HEAD has no ranges; a part goes to those who have the rest of this very version', async () => {
  const path = '/deep/a//b.bin';
  const head = await get('spa', path, { range: 'bytes=2-4' }, 'HEAD');
  expect([head.status, head.headers['content-length'], head.headers['content-range']]).toEqual([200, '10', undefined]);
  expect((await get('spa', path, { range: 'bytes=99-' }, 'HEAD')).status).toBe(200);
  const { etag, 'last-modified': modified } = head.headers as Record<string, string>;
  const part = (headers: Record<string, string>) => brief('spa', path, { range: 'bytes=2-4', ...headers });
  expect(await part({ 'if-range': etag! })).toBe('206 234');
  expect(await part({ 'if-range': `W/${etag}` })).toBe('200 0123456789');
  expect(await part({ 'if-range': modified! })).toBe('206 234');
  expect(await part({ 'if-range': new Date(0).toUTCString() })).toBe('200 0123456789');
  expect(await part({ 'if-match': `"x", ${etag}` })).toBe('206 234');
  expect((await get('spa', path, { range: 'bytes=2-4', 'if-match': '"x"' })).status).toBe(412);
  expect((await get('spa', path, { 'if-match': `W/${etag}` })).status).toBe(412);
  expect((await get('spa', path, { 'if-match': '*' })).status).toBe(200);
  expect((await get('spa', path, { 'if-unmodified-since': new Date(0).toUTCString() })).status).toBe(412);
  expect((await get('spa', path, { 'if-unmodified-since': modified! })).status).toBe(200);
  expect((await get('spa', path, { range: 'bytes=2-4', 'if-none-match': etag! })).status).toBe(304);
});

test('a client route may hold a dot; what a page loads is missing where it is missing', async () => {
  for (const route of ['/user/jane.doe', '/releases/v1.2', '/sites/example.com/edit', '/a.b/'])
    expect([route, await brief('spa', route, page)]).toEqual([route, '200 <title>spa</title>']);
  expect((await get('spa', '/user/jane.doe', { accept: 'image/avif,*/*' })).status).toBe(404);
  for (const missing of ['/assets/x.js', '/x.CSS', '/logo.svg', '/old.html', '/data.json', '/.env'])
    expect([missing, (await get('spa', missing, page)).status]).toEqual([missing, 404]);
});

test('precompressed variants go to those who understand them', async () => {
  const of = async (acceptEncoding: string, path = '/app.js') =>
    get('spa', path, { 'accept-encoding': acceptEncoding });
  const gz = await of('gzip, deflate');
  expect([gz.headers['content-encoding'], gunzipSync(gz.raw).toString()]).toEqual(['gzip', SCRIPT]);
  expect((await of('gzip, br')).headers['content-encoding']).toBe('br');
  expect((await of('br;q=0, *')).headers['content-encoding']).toBe('gzip');
  expect((await of('identity')).body).toBe(SCRIPT);
  expect(gz.headers.etag).not.toBe((await of('br')).headers.etag);
  expect((await of('gzip', '/own.css')).body).toBe('a{}');
  expect((await of('', '/packed.json')).body).toBe('{"a":1}');
  expect((await of('gzip', '/packed.json')).headers['content-encoding']).toBe('gzip');
});

test('_redirects and _headers are honoured, and hidden', async () => {
  expect(await brief('docs', '/old?a=b')).toBe('302 /new?a=b');
  expect(await brief('docs', '/forced')).toBe('200 new');
  expect(await brief('docs', '/proxied/x')).toBe('200 new');
  const page = await get('docs', '/new');
  expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' });
  expect((await get('docs', '/_redirects')).status).toBe(404);
  await put('docs/_headers.br', 'compressed');
  await put('docs/_redirects.gz', 'compressed');
  for (const path of ['/_headers.br', '/_redirects.gz']) expect((await get('docs', path)).status).toBe(404);
  expect((await get('docs', '/_headers')).status).toBe(404);
  await put('docs/_redirects', '/old /changed 302');
  now += 1_000;
  expect(await brief('docs', '/old')).toBe('302 /changed');
});

test('no rule shows what belongs to another project', async () => {
  await html('victim/index.html', 'another’s');
  const rules = [
    '/a /../victim/index.html 200',
    '/b /%2e%2e/victim/index.html 200',
    '/c u=:u /:u 200',
    '/d /./index.html 200',
  ];
  await put('thief/_redirects', rules.join('\n'));
  await html('thief/index.html', 'own');
  for (const path of ['/a', '/b', '/c?u=../victim/index.html', '/c?u=%2e%2e/victim/index.html'])
    expect([path, (await get('thief', path)).body]).not.toEqual([path, 'another’s']);
});

test('wildcards anywhere, cookies as fields of their own, a rewrite to a folder', async () => {
  await html('rules/index.html', 'front');
  await html('rules/docs/index.html', 'folder');
  await put('rules/a/deep.txt', 'text');
  await put('rules/_redirects', '/manual-* /docs 200\n');
  await put('rules/_headers', '/*.txt\n  X-Txt: yes\n  Set-Cookie: a=1\n  Set-Cookie: b=2\n');
  const { port } = new URL(await urlOf('rules'));
  const own = await get('rules', '/a/deep.txt', { host: `rules.localhost:${port}` });
  expect([own.headers['x-txt'], own.headers['set-cookie']]).toEqual(['yes', ['a=1', 'b=2']]);
  const shared = await get('rules', '/a/deep.txt');
  expect([shared.headers['x-txt'], shared.headers['set-cookie']]).toEqual(['yes', undefined]);
  expect(await brief('rules', '/manual-1')).toBe('200 folder');
});

test('nobody gets out of a site', async () => {
  for (const path of [
    '/../spa-private/index.html',
    '/%2e%2e/spa-private/',
    '/..%2fspa-private/index.html',
    '/a\\..\\x',
    '/%00',
    '/%zz',
  ])
    expect((await get('spa', path, page)).status).toBe(400);
  expect(await brief('spa', '//docs')).toMatch(/^404/);
  await html('spa//evil.example/index.html', 'x');
  expect(await brief('spa', '//evil.example')).toBe('301 /evil.example/');
  expect((await get('spa', 'http://other/index.html')).status).toBe(400);
});

test('a host name tells the project; names of elsewhere are refused', async () => {
  const { port } = new URL(await urlOf('spa'));
  expect(await brief('spa', '/', { host: `docs.localhost:${port}` })).toBe('200 docs site');
  expect(await brief('spa', '/', { host: `localhost:${port}` })).toBe('200 <title>spa</title>');
  expect((await get('spa', '/', { host: `rebound.example:${port}` })).status).toBe(421);
  expect((await get('spa', '/', { host: `..localhost:${port}` })).status).toBe(421);
});

test('a site keeps its address after a restart, and gets another where it is taken', async () => {
  const before = await urlOf('spa');
  const others = await Promise.all(['docs', 'unknown', 'spa'].map((p) => urlOf(p)));
  expect(new Set([before, ...others]).size).toBe(3);
  await expect(urlOf('../x')).rejects.toThrow();
  await sites.close();
  await start();
  expect(await (await fetch(before)).text()).toBe('<title>spa</title>'); // open before anybody asked for its URL
  expect(await urlOf('spa')).toBe(before);
  await sites.close();
  const squatter = createServer().listen(Number(new URL(before).port), '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  await start();
  const after = await urlOf('spa');
  expect(after).not.toBe(before);
  expect(await (await fetch(after)).text()).toBe('<title>spa</title>');
  expect(JSON.parse(await readFile(join(dataDir, 'sites.json'), 'utf8')).spa).toBe(Number(new URL(after).port));
  await new Promise((resolve) => squatter.close(resolve));
});

test('a page that is replaced while it is read is never torn', async () => {
  const pages = ['a', 'b'].map((c) => c.repeat(300_000));
  await html('swap/index.html', pages[0]!);
  let done = false;
  const swapping = (async () => {
    for (let i = 0; i < 40; i++) await html('swap/index.html', pages[i % 2]!);
    done = true;
  })();
  let reads = 0;
  while (!done) {
    const { status, body } = await get('swap', '/');
    if (status === 503) continue;
    expect(pages).toContain(body);
    reads++;
  }
  await swapping;
  expect(reads).toBeGreaterThan(0);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: '__outputs/swap/index.html' }));
  expect((await get('swap', '/')).status).toBe(404);
});

test('a deployment has a name of its own, once its files are whole, and keeps it', async () => {
  const files = `__deployments/spa/d2/`;
  const putAt = (Key: string, Body: string) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/html' }));
  await putAt(`${files}files/index.html`, 'as it was');
  const of = { projectId: 'spa', deploymentId: 'd2', plan: null };
  const { hostUrl = '', deploymentUrl = '' } = await sites.addressesOf(of, null);
  const host = new URL(deploymentUrl).host;
  expect(host).toMatch(/^d2--spa\.localhost:\d+$/);
  expect(new URL(hostUrl).host).toBe(host.replace('d2--', ''));
  expect((await get('spa', '/', { host })).status).toBe(404);
  const page = {
    ...{ path: 'index.html', size: 9, sha256: 'a'.repeat(64), contentType: 'text/html', cacheControl: 'no-cache' },
    key: `${files}files/index.html`,
  };
  const manifest = {
    ...{ v: 1, projectId: 'spa', deploymentId: 'd2', attempt: 1, commit: 'c', files: 1, bytes: 9 },
    ...{ createdAt: new Date(0).toISOString(), objects: [page] },
  };
  await putAt(`${files}manifest.json`, JSON.stringify(manifest));
  expect(await brief('spa', '/', { host })).toBe('200 as it was');
  expect(await brief('docs', '/', { host })).toBe('200 as it was');
  expect(await brief('spa', '/', { host: new URL(hostUrl).host })).toBe('200 <title>spa</title>');
  for (const other of ['d3--spa', 'd2--docs', 'd2--spa--x', '--spa', 'd2--', 'D_2--spa', 'd2--spa.x'])
    expect([404, 421]).toContain((await get('spa', '/', { host: `${other}.localhost` })).status);
  expect((await get('spa', '/../manifest.json', { host })).status).toBe(400);
});

test('cookies and what clears them are for the own name alone, and many cookies lock nobody out', async () => {
  await html('cookies/index.html', 'crumbs');
  await put('cookies/_headers', '/*\n  Set-Cookie: a=1\n  Clear-Site-Data: "cookies"\n');
  const shared = await get('cookies', '/');
  expect(shared.headers).not.toHaveProperty('set-cookie');
  expect(shared.headers).not.toHaveProperty('clear-site-data');
  const { headers } = await get('cookies', '/', { host: 'cookies.localhost' });
  expect(headers).toMatchObject({ 'set-cookie': ['a=1'], 'clear-site-data': '"cookies"' });
  expect((await get('spa', '/', { cookie: `a=${'x'.repeat(740_000)}` })).status).toBe(200);
});

it('nobody else has the port of a site at ::1, to which browsers resolve its names first', async () => {
  await html('squatted/index.html', 'ours');
  const [first = 0] = (await SitePorts.open(dataDir)).candidates('squatted');
  const squatter = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nevil'));
  await new Promise<void>((done) => squatter.listen(first, '::1', done));
  const port = Number(new URL(await urlOf('squatted')).port);
  expect(port).not.toBe(first);
  for (const name of ['[::1]', 'localhost', 'squatted.localhost']) {
    const text = new Promise((resolve, reject) =>
      request({ host: '::1', port, headers: { Host: `${name}:${port}` } }, async (res) => {
        resolve(Buffer.concat(await res.toArray()).toString());
      })
        .on('error', reject)
        .end(),
    );
    expect(await text).toBe('ours');
  }
  await new Promise((done) => squatter.close(done));
});

it('an address is told though its port cannot be noted, and is noted as soon as it can', async () => {
  const own = await mkdtemp(join(tmpdir(), 'veren-sites-'));
  const faults: unknown[] = [];
  const server = await startSiteServer({ dataDir: own, s3, bucket: Bucket, onError: (e) => faults.push(e) });
  const addressOf = async () => (await server.addressesOf({ projectId: 'p', deploymentId: 'd', plan: null }, null)).url;
  await rm(own, { recursive: true });
  const url = await addressOf();
  expect(await addressOf()).toBe(url);
  expect(faults).toEqual([expect.objectContaining({ code: 'ENOENT' }), expect.objectContaining({ code: 'ENOENT' })]);
  await mkdir(own);
  expect(await addressOf()).toBe(url);
  expect(JSON.parse(await readFile(join(own, 'sites.json'), 'utf8'))).toEqual({ p: Number(new URL(url).port) });
  expect(faults).toHaveLength(2);
  await server.close();
  await rm(own, { recursive: true });
});
