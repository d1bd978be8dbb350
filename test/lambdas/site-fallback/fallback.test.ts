import { answerSite, type FallbackFile, type ReadSiteFile } from '../../../lambdas/site-fallback/fallback.ts';
import { rememberRules } from '../../../lambdas/site-fallback/siteRules.ts';

const ask = (path: string, read: ReadSiteFile, base: string) =>
  answerSite({ path, search: '', base }, read, rememberRules(read));

/** A site `app` of these files; every one is a page that holds its own name. */
function site(...names: string[]) {
  const files = new Map<string, FallbackFile>(
    names.map((name) => [
      `__outputs/app/${name}`,
      {
        body: new TextEncoder().encode(name),
        contentType: 'text/html; charset=utf-8',
        cacheControl: 'public, max-age=0, must-revalidate',
        etag: `"${name}"`,
      },
    ]),
  );
  return async (path: string) => {
    const answer = await ask(`/__outputs/app/${path}`, async (key) => files.get(key) ?? null, '/app/');
    return [answer.status, answer.headers.location ?? new TextDecoder().decode(answer.body)];
  };
}

test.each<[string, string[], string, [number, string]]>([
  ['a clean URL', ['index.html', 'about.html'], 'about', [200, 'about.html']],
  ['a folder, by its address with a slash', ['docs/index.html'], 'docs', [301, '/app/docs/']],
  ['a client route of an application', ['index.html'], 'users/7', [200, 'index.html']],
  ['a client route with a slash at its end', ['index.html'], 'users/index.html', [200, 'index.html']],
  ['the site’s own page for what is missing', ['index.html', '404.html'], 'users/7', [404, '404.html']],
  ['a client route with a dot', ['index.html'], 'user/jane.doe', [200, 'index.html']],
  ['a clean URL with a dot', ['index.html', 'v1.2.html'], 'v1.2', [200, 'v1.2.html']],
  ['a page by an address with a slash', ['index.html', 'about.html'], 'about/index.html', [301, '/app/about']],
  ['no other host by two slashes', ['/evil.example/index.html'], '/evil.example', [301, '/app/evil.example/']],
  ['a missing script is missing', ['index.html'], 'assets/old.js', [404, 'There is nothing here.\n']],
  [
    'a name that was escaped on its way',
    ['über uns.html'],
    encodeURIComponent('über uns.html'),
    [200, 'über uns.html'],
  ],
  ['an empty site', [], 'index.html', [404, 'There is nothing here.\n']],
])('%s', async (_, files, path, answer) => {
  expect(await site(...files)(path)).toEqual(answer);
});

test.each(['../other/index.html', '%2e%2e/other/secret.html', '%ff'])('no way out of the site: %s', async (path) => {
  expect((await site('index.html')(path))[0]).toBe(404);
});

test('what is outside the live sites is not there', async () => {
  const read = async () => {
    throw new Error('nothing may be read');
  };
  expect((await ask('/__records/x.json', read, '/')).status).toBe(404);
});

test('a page that stands in for another is asked for again', async () => {
  const immutable = {
    body: new Uint8Array(),
    contentType: 'text/html',
    cacheControl: 'public, max-age=31536000, immutable',
    etag: undefined,
  };
  const read: ReadSiteFile = async (k) => (k.endsWith('/index.html') && !k.includes('/x/') ? immutable : null);
  const answer = await ask('/__outputs/app/x', read, '/');
  expect(answer.headers['cache-control']).toBe('public, max-age=0, must-revalidate');
});
