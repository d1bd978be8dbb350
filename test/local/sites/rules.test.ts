import fc from 'fast-check';
import { headersFor, parseHeaders } from '../../../local/sites/headerRules.ts';
import { matchPath } from '../../../local/sites/match.ts';
import { applyRedirects, parseRedirects } from '../../../local/sites/redirects.ts';

const apply = (file: string, path: string, search = '', forced = false) => {
  const outcome = applyRedirects(parseRedirects(file), path, search, forced);
  return outcome && `${outcome.status} ${outcome.kind === 'redirect' ? outcome.location : outcome.path}`;
};

test.each([
  ['/home /', '/home', '', '301 /'],
  ['/home / 302 # moved', '/home/', '?a=1', '302 /?a=1'],
  ['# /x /y\n\n  /x   /z  307  ', '/x', '', '307 /z'],
  ['/news/* /blog/:splat', '/news/2026/äö', '', '301 /blog/2026/%C3%A4%C3%B6'],
  ['/news/:year/:slug /blog/:slug/:year 302', '/news/2026/a b', '', '302 /blog/a%20b/2026'],
  ['/news/:year /blog', '/news/1/2', '', undefined],
  ['/store id=:id /products/:id', '/store', '?id=7', '301 /products/7'],
  ['/store id=7 /seven', '/store', '?id=8', undefined],
  ['/* /index.html 200', '/a/b', '?x', '200 /index.html'],
  ['/app/* /app/index.html 200\n/* /404.html 404', '/other', '', '404 /404.html'],
  ['/old https://example.com/new 308', '/old', '?q=1', '308 https://example.com/new?q=1'],
  ['/api/* https://example.com/:splat 200', '/api/x', '', undefined], // no proxy
  ['/ /de 302 Language=de', '/', '', undefined], // no conditions
  ['https://old.example/* /new', '/x', '', undefined], // another host
  ['/a /a/', '/a', '', '301 /a/'],
  ['/a /a', '/a', '', undefined], // for ever
  ['/a /b 200!', '/a', '', undefined], // only where forced rules are asked for
  ['/a\n/b /c 99\n/d c 301', '/a', '', undefined],
  ['/* /:splat', '//evil.example/x', '', '301 /evil.example/x'],
  ['/go/* //:splat', '/go/evil.example', '', '301 /evil.example'],
])('%j with %s%s is %s', (file, path, search, expected) => {
  expect(apply(file, path, search)).toBe(expected);
});

test('forced rules are asked for apart', () => {
  expect(apply('/a /b 200!', '/a', '', true)).toBe('200 /b');
  expect(apply('/a /b 200', '/a', '', true)).toBeUndefined();
});

const path = fc.webPath().map((p) => `/${decodeURIComponent(p)}`);
const line = fc
  .tuple(path, fc.constantFrom('', ' a=:b', ' #'), fc.webUrl(), fc.constantFrom('', ' 301', ' 200!', ' 404', ' x'))
  .map((parts) => parts.join(' '));

test('no file breaks the parser or leads a visitor of this site to another host by a path', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(line).map((l) => l.join('\n')),
      ),
      path,
      (file, asked) => {
        const rules = parseRedirects(file);
        for (const forced of [true, false]) {
          const outcome = applyRedirects(rules, asked, '?b=//x', forced);
          if (outcome?.kind !== 'redirect') continue;
          expect(outcome.location).toMatch(/^[\x21-\x7e]+$/);
          expect(outcome.location).toMatch(/^(\/([^/\\]|$)|https?:)/);
        }
      },
    ),
  );
});

test('a literal path matches itself, a splat whatever is below', () => {
  const segment = fc.string({ minLength: 1 }).filter((s) => !/[/:*%?#]/.test(s));
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 5 }),
      fc.array(segment, { maxLength: 3 }),
      (head, tail) => {
        const own = `/${head.join('/')}`;
        expect(matchPath(own, own)).toBeDefined();
        expect(matchPath(`${own}/*`, [own, ...tail].join('/'))?.splat).toBe(tail.join('/'));
        expect(matchPath(`/${head.map((_, i) => `:p${i}`).join('/')}`, own)).toEqual(
          Object.assign(Object.create(null), Object.fromEntries(head.map((s, i) => [`p${i}`, s]))),
        );
        if (tail.length > 0) expect(matchPath(own, [own, ...tail].join('/'))).toBeUndefined();
      },
    ),
  );
});

test('_headers: matching rules add up; what the server has to get right stays its own', () => {
  const rules = parseHeaders(`
# all
/*
  X-Frame-Options: DENY
  Link: </a.css>; rel=preload
  Content-Length: 3
  no header
/app/:id
  Link: </b.css>; rel=preload
  Bad Name: x
https://other.example/*
  X-Other: 1
`);
  expect(Object.fromEntries(headersFor(rules, '/app/1', true))).toEqual({
    'x-frame-options': 'DENY',
    link: '</a.css>; rel=preload, </b.css>; rel=preload',
  });
  expect([...headersFor(rules, '/x/y', true).keys()]).toEqual(['x-frame-options', 'link']);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (file) => {
      const found = headersFor(parseHeaders(`/*\n${file}`), '/x', false);
      expect(() => new Headers([...found])).not.toThrow();
    }),
  );
});

test('what holds for all ports of a host is for a host name of the site alone, and never for a wider one', () => {
  const rules = parseHeaders(`/*
  Set-Cookie: a=1; Path=/
  set-cookie: b=2; Domain=localhost
  SET-COOKIE: c=3;domain = .localhost
  Clear-Site-Data: "cookies"
  Sec-Session-Registration: (ES256);path="/x"
  X-Own: yes`);
  expect(Object.fromEntries(headersFor(rules, '/', true))).toEqual({ 'x-own': 'yes' });
  expect(Object.fromEntries(headersFor(rules, '/', false))).toEqual({
    'set-cookie': 'a=1; Path=/',
    'clear-site-data': '"cookies"',
    'sec-session-registration': '(ES256);path="/x"',
    'x-own': 'yes',
  });
});
