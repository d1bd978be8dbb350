import { createServer, type Server } from 'node:http';
import { contentSecurityPolicy } from '../../../dashboard/build.ts';
import { openDashboard } from '../../../local/dashboard/serveDashboard.ts';
import { createStartCode } from '../../../local/dashboard/startCode.ts';

const TOKEN = 'the-token';
let now = 0;
const clock = { now: () => now };
const startCode = createStartCode(TOKEN, clock);
const code = startCode.fragment.slice('#code='.length);
let server: Server;
let origin: string;

beforeAll(async () => {
  const { serve, ready } = openDashboard(startCode, (error) => {
    throw error;
  });
  await ready;
  server = createServer((request, response) => {
    if (!serve(request, response)) response.writeHead(418).end('the API');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => server.close());

const get = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init });

it('leads from / to the dashboard, and leaves every other path to the API', async () => {
  const root = await get('/');
  expect([root.status, root.headers.get('location')]).toEqual([302, '/dashboard/']);
  for (const path of ['/projects/shop', '/dashboards', '/docs', '/?a=/dashboard']) {
    const { status } = await get(path);
    expect({ path, status }).toEqual({ path, status: path.startsWith('/?') ? 302 : 418 });
  }
  expect((await get('/', { method: 'POST' })).status).toBe(418);
});

it('answers every address of a page with the page, under a policy that allows nothing but its own files', async () => {
  for (const path of ['/dashboard', '/dashboard/', '/dashboard/projects/a%2fb?x=1', '/dashboard/x.html']) {
    const { status, headers } = await get(path);
    expect({ path, status, type: headers.get('content-type') }).toEqual({
      path,
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-cache');
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "connect-src 'self'"])
      expect(policy.split('; ')).toContain(part);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  }
});

it('serves files under names of their content, for ever, and none of an earlier start', async () => {
  const html = await (await get('/dashboard/')).text();
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
  expect(paths.length).toBeGreaterThan(4);
  expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=/);
  for (const path of paths) {
    const { status, headers } = await get(path);
    expect(path).toMatch(/-[A-Z0-9]{8}\.(js|css|svg)$/);
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    const again = await get(path, { headers: { 'If-None-Match': headers.get('etag')! } });
    expect(again.status).toBe(304);
  }
  expect((await get('/dashboard/assets/main-AAAAAAAA.js')).status).toBe(404);
  expect((await get('/dashboard/', { method: 'DELETE' })).status).toBe(405);
});

it('is small: the first load is under 150 kB compressed', async () => {
  const { buildDashboard, LAPTOP_PLACES } = await import('../../../dashboard/build.ts');
  const { page, assets, first } = await buildDashboard(LAPTOP_PLACES);
  const loaded = [page, ...assets.filter(({ path }) => first.includes(path))];
  expect(loaded.length).toBeGreaterThan(3);
  expect(loaded.reduce((sum, { gzipped }) => sum + gzipped.length, 0)).toBeLessThan(150_000);
});

it('gives the token for the code once, within ten minutes, and for nothing else', async () => {
  const post = async (body: string, type = 'application/json') => {
    const answer = await get('/dashboard/session', { method: 'POST', body, headers: { 'Content-Type': type } });
    return [answer.status, ((await answer.json()) as { token?: string }).token];
  };
  expect((await get('/dashboard/session')).status).toBe(405);
  expect(await post(JSON.stringify({ code: 'x'.repeat(32) }))).toEqual([403, undefined]);
  for (const body of ['', '{', '[]', 'null', JSON.stringify({ code: [code] })])
    expect(await post(body)).toEqual([403, undefined]);
  expect(await post(JSON.stringify({ code }), 'text/plain')).toEqual([405, undefined]);
  await expect(post(`"${'x'.repeat(5_000)}"`)).rejects.toThrow();
  now = 600_000;
  expect(await post(JSON.stringify({ code }))).toEqual([403, undefined]);
  now -= 1;
  expect(await post(JSON.stringify({ code }))).toEqual([200, TOKEN]);
  expect(await post(JSON.stringify({ code }))).toEqual([403, undefined]);
});

it('lets the page talk to the places that it is told of, and to no other', () => {
  const policy = contentSecurityPolicy({
    ...{ api: 'https://api.example/prod', socket: 'wss://live.example/prod' },
    logs: 'https://logs.example/prod',
  });
  expect(policy).toContain("connect-src 'self' https://api.example wss://live.example https://logs.example;");
});
