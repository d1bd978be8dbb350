import fc from 'fast-check';
import { headersFor, parseHeaders } from '../../../contract/site-rules/headerRules.ts';
import { matchPath } from '../../../contract/site-rules/pattern.ts';
import { applyRedirects, parseRedirects } from '../../../contract/site-rules/redirectRules.ts';

const apply = (file: string, path: string, search = '', forced = false) => {
  const outcome = applyRedirects(parseRedirects(file).rules, path, search, forced);
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
  ['/old/*.html /docs/:splat 301', '/old/a/b.html', '', '301 /docs/a/b'],
  ['/feed-* /data.json 302', '/feed-atom', '', '302 /data.json'],
  ['/a/*/c/* /x/:splat 302', '/a/1/2/c/3', '', '302 /x/3'], // the last one
  ['/:year-:month/:day.html /p/:year/:month/:day', '/2026-11/27.html', '', '301 /p/2026/11/27'],
  ['/wiki/Talk:Main /talk', '/wiki/Talk:Main', '', '301 /talk'], // no placeholder
  ['/wiki/Talk:Main /talk', '/wiki/TalkX', '', undefined],
  ['/gone /gone.html 410', '/gone', '', '410 /gone.html'],
  ['/x /y 303', '/x', '', '303 /y'],
  ['/x /y 304', '/x', '', undefined], // no place to go
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
        const { rules } = parseRedirects(file);
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
  const { rules } = parseHeaders(`
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
      const found = headersFor(parseHeaders(`/*\n${file}`).rules, '/x', false);
      const fields = [...found].flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
      expect(() => new Headers(fields)).not.toThrow();
    }),
  );
});

test('what holds for all ports of a host is for a host name of the site alone, and never for a wider one', () => {
  const { rules } = parseHeaders(`/*
  Set-Cookie: a=1; Path=/
  set-cookie: b=2; Domain=localhost
  SET-COOKIE: c=3;domain = .localhost
  Clear-Site-Data: "cookies"
  Sec-Session-Registration: (ES256);path="/x"
  X-Own: yes`);
  expect(Object.fromEntries(headersFor(rules, '/', true))).toEqual({ 'x-own': 'yes' });
  expect(Object.fromEntries(headersFor(rules, '/', false))).toEqual({
    'set-cookie': ['a=1; Path=/'],
    'clear-site-data': '"cookies"',
    'sec-session-registration': '(ES256);path="/x"',
    'x-own': 'yes',
  });
});

test('a path that puts the name of an attribute into a cookie makes no wider one of it', () => {
  const { rules } = parseHeaders('/:a/:b\n  Set-Cookie: x=1; :a=localhost\n  Set-Cookie: y=:b');
  expect(headersFor(rules, '/domain/1', false).get('set-cookie')).toEqual(['y=1']);
  expect(headersFor(rules, '/DOMAIN/1', false).get('set-cookie')).toEqual(['y=1']);
  expect(headersFor(rules, '/path/1', false).get('set-cookie')).toEqual(['x=1; path=localhost', 'y=1']);
});

test('cookies stay fields of their own; a content type is not joined; a rule can take away and repeat what it matched', () => {
  const { rules, ignored } = parseHeaders(`/*
  Content-Type: text/plain
  X-All: yes
/data/:name.json
  Set-Cookie: a=1
  Set-Cookie: b=2, c
  Content-Type: application/json
  ! X-All
  X-Name: is :name, not :other`);
  expect(ignored).toEqual([]);
  expect(Object.fromEntries(headersFor(rules, '/data/x y.json', false))).toEqual({
    'set-cookie': ['a=1', 'b=2, c'],
    'content-type': 'application/json',
    'x-name': 'is x%20y, not :other',
  });
});

test.each([
  ['/*.txt', '/llms.txt', true],
  ['/*.txt', '/a/b.txt', true],
  ['/*.txt', '/a.txt.gz', false],
  ['/assets/*.css', '/assets/a.css', true],
  ['/assets/*.css', '/a.css', false],
  ['/*/b.txt', '/assets/deep/b.txt', true],
  ['/*/b.txt', '/b.txt', false],
  ['/docs/:page', '/docs/a/b', false],
  ['/docs/:page', '/docs/', false],
  ['/docs/*', '/docs', true],
  ['/docs/*', '/docsx', false],
  ['/%C3%A4/*.js', '/ä/x.js', true],
  ['/a%2Ab', '/a*b', true],
  ['/a%2Ab', '/axb', false],
  ['**', '/anything', true],
])('%s and %s: %s', (pattern, asked, expected) => {
  expect(matchPath(pattern, asked) !== undefined).toBe(expected);
});

test('a pattern matches what the regular expression of the same meaning does', () => {
  const part = fc.constantFrom('a', 'b', '/', '*', ':n', '-');
  const piece = fc.constantFrom('a', 'b', '/', '-', '/');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), fc.array(piece, { maxLength: 12 }), (parts, pieces) => {
      const normal = (p: string) => `/${p.split('/').filter(Boolean).join('/')}`;
      const pattern = normal(parts.join(''));
      // Of a name within a word the table above tells.
      fc.pre(!/[A-Za-z0-9]:/.test(pattern) && !/:n[abn]/.test(pattern));
      const source = pattern
        .replace(/\/\*$/, '\u0000')
        .replaceAll('*', '.*')
        .replaceAll(':n', '[^/]+')
        .replace('\u0000', '(?:/.*)?');
      const given = normal(pieces.join(''));
      expect(matchPath(pattern, given) !== undefined).toBe(new RegExp(`^${source}$`, 's').test(given));
    }),
    { numRuns: 2_000 },
  );
});

test('what is not honoured is told, with its line and reason', () => {
  const redirects = `# ok
/a /b
https://old.example/* /new
/ /de 302 Language=de
/x /y Country=us
/api/* https://example.com/:splat 200
/b
word /c
/d /e 999
/f 200`;
  expect(parseRedirects(redirects).ignored.map(({ line, reason }) => [line, reason])).toEqual([
    [3, 'rules for another host are not supported'],
    [4, 'conditions (country, language, role, cookie) are not supported'],
    [5, 'conditions (country, language, role, cookie) are not supported'],
    [6, 'proxying to another server is not supported'],
    [7, 'a rule needs a target'],
    [8, 'a rule begins with a path'],
    [9, '999 is no status that a rule may have'],
    [10, 'only a path that ends with /* may go without a target'],
  ]);
  const headers = `X-Early: 1
https://other.example/*
  X-Theirs: 1
/*
  Basic-Auth: me:secret
  no header
  Set-Cookie: a=1; Domain=example.com
  X-Own: 1`;
  const parsed = parseHeaders(headers);
  expect(parsed.ignored.map(({ line, reason }) => [line, reason])).toEqual([
    [1, 'no path stands above it'],
    [2, 'rules for another host are not supported'],
    [5, 'Basic-Auth is for the server to set'],
    [6, 'it is no "Name: value"'],
    [7, 'a cookie for a wider domain would reach other sites'],
  ]);
  expect(Object.fromEntries(headersFor(parsed.rules, '/', false))).toEqual({ 'x-own': '1' });
});

test('no rules file makes a request slow: neither many rules, nor long ones, nor nested wildcards', () => {
  const asked = `/${'a'.repeat(2_000)}`;
  const files = [
    `/${'*a'.repeat(450)}b /x\n`.repeat(1_000),
    `/${'a*'.repeat(20)}b /x\n`.repeat(5_000),
    `/${':x-'.repeat(30)}b /x\n`.repeat(5_000),
    '/a*b /x\n'.repeat(100_000),
    `/${'a'.repeat(900)}* /x\n`.repeat(1_000),
    `/${'a'.repeat(100_000)}* /x\n`.repeat(9),
  ];
  for (const file of files) {
    const { rules, ignored } = parseRedirects(file);
    expect(ignored.length).toBeGreaterThan(0);
    const began = performance.now();
    applyRedirects(rules, asked, '', false);
    expect(performance.now() - began).toBeLessThan(1_000);
  }
});

test('a long path with many slashes is taken apart once, not for each rule', () => {
  const asked = '/a'.repeat(7_500); // Node takes 16 KB
  const numbers = Array.from({ length: 5_000 }, (_, i) => i);
  const redirects = parseRedirects(numbers.map((i) => `/r${i} /x`).join('\n')).rules;
  const headers = parseHeaders(numbers.map((i) => `/r${i}\n  X-A: 1`).join('\n')).rules;
  const began = process.cpuUsage();
  expect(applyRedirects(redirects, asked, '', false)).toBeUndefined();
  expect(headersFor(headers, asked, false).size).toBe(0);
  expect(process.cpuUsage(began).user).toBeLessThan(500_000);
});

test('a capture that ends within a character has an encoding', () => {
  expect(apply('/:a*:b /x/:a', '/x😀')).toBe('301 /x/x%EF%BF%BD');
  expect(apply('/:a /x/:a', '/x😀')).toBe('301 /x/x%F0%9F%98%80');
});
