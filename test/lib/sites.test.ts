import { runInNewContext } from 'node:vm';
import { viewerRequestCode } from '../../lib/constructs/sites/sites.ts';

interface Request {
  uri: string;
  headers: Record<string, { value: string }>;
  querystring: Record<string, { value: string }>;
}
interface Answer {
  uri?: string;
  statusCode?: number;
  headers: Record<string, { value: string }>;
}

/** Runs the function's real code as CloudFront does: one global `handler(event)`. */
function ask(domain: string, uri: string, headers: Record<string, string> = {}, query: Record<string, string> = {}) {
  const wrap = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
  const request: Request = { uri, headers: wrap(headers), querystring: wrap(query) };
  const answer = runInNewContext(`${viewerRequestCode(domain)}; handler({ request })`, { request }) as Answer;
  return answer.statusCode ? [answer.statusCode, answer.headers.location?.value] : answer.uri;
}

describe('with a domain: one host per site', () => {
  const at = (host: string, uri: string) => ask('sites.example.com', uri, { host });
  test.each([
    ['shop.sites.example.com', '/', '/__outputs/shop/index.html'],
    ['shop.sites.example.com', '/assets/app.js', '/__outputs/shop/assets/app.js'],
    ['my-shop-2.sites.example.com', '/docs/', '/__outputs/my-shop-2/docs/index.html'],
  ])('%s%s', (host, uri, key) => {
    expect(at(host, uri)).toBe(key);
  });
  test.each(['/_headers', '/_redirects', '/%5Fheaders', '/_redirect%73'])('rules are no part of a site: %s', (uri) => {
    expect(at('shop.sites.example.com', uri)).toEqual([404, undefined]);
    expect(ask('', `/shop${uri}`, { host: 'd1.cloudfront.net' })).toEqual([404, undefined]);
  });
  test.each([
    'sites.example.com',
    'a.b.sites.example.com',
    '-x.sites.example.com',
    'evilsites.example.com',
    'shop.example.com',
    `${'a'.repeat(64)}.sites.example.com`,
  ])('no site at %s', (host) => {
    expect(at(host, '/')).toEqual([404, undefined]);
  });
});

describe('without a domain: one path per site', () => {
  const host = 'd1.cloudfront.net';
  test('the first part of the path is the project', () => {
    expect(ask('', '/shop/', { host })).toBe('/__outputs/shop/index.html');
    expect(ask('', '/shop/a/b.css', { host })).toBe('/__outputs/shop/a/b.css');
  });
  test('a slash is added, or relative links would be wrong; the query stays', () => {
    expect(ask('', '/shop', { host }, { a: '1', b: '' })).toEqual([302, '/shop/?a=1&b']);
  });
  test('absolute paths of assets are sent to the site of the page that asks', () => {
    const page = { host, referer: `https://${host}/shop/`, 'sec-fetch-dest': 'script' };
    expect(ask('', '/assets/app.js', page)).toEqual([302, '/shop/assets/app.js']);
  });
  test('but pages are not, nor requests from elsewhere, nor the site’s own paths', () => {
    const referer = `https://${host}/shop/`;
    expect(ask('', '/blog/', { host, referer, 'sec-fetch-dest': 'document' })).toBe('/__outputs/blog/index.html');
    expect(
      ask('', '/blog/a.js', { host, referer: 'https://elsewhere.example/shop/', 'sec-fetch-dest': 'script' }),
    ).toBe('/__outputs/blog/a.js');
    expect(ask('', '/shop/a.js', { host, referer, 'sec-fetch-dest': 'script' })).toBe('/__outputs/shop/a.js');
  });
  test.each(['/', '/Shop/', '/__records/x.json', '/..%2f/'])('no site at %s', (uri) => {
    expect(ask('', uri, { host })).toEqual([404, undefined]);
  });
});

test('nothing outside the live sites can be asked for', () => {
  for (const uri of ['/__records/a.json', '/../__records/a.json', '//__logs/x'])
    expect(String(ask('sites.example.com', uri, { host: 'shop.sites.example.com' }))).toMatch(/^\/__outputs\/shop\//);
});

test('the code fits: CloudFront takes 10 KB', () => {
  expect(viewerRequestCode('a-rather-long-domain-name.sites.example.com').length).toBeLessThan(10_240);
});
