import { gzipSync } from 'node:zlib';
import { ERRORS, type ErrorCode } from '../../../contract/errors.ts';
import { apiFixture } from '../../support/api.ts';

const valid = { projectId: 'site', gitUrl: 'https://git.example/me/site.git' };
type Fixture = Awaited<ReturnType<typeof apiFixture>>;
let api: Fixture;
beforeEach(async () => {
  api = await apiFixture();
});
afterEach(async () => {
  expect(await api.ports.queue.list('clone', 'waiting')).toEqual([]);
  expect(api.logged).toEqual([]);
});

const post = (body: string, headers: Record<string, string> = {}) =>
  api.call('POST', '/deployments', body, { headers });
function expectRefusal(answer: Awaited<ReturnType<typeof post>>, code: ErrorCode, fields?: string[]) {
  expect(answer.body).toMatchObject({ code, status: ERRORS[code].status });
  expect(answer.status).toBe(ERRORS[code].status);
  if (fields) expect(answer.body.errors.map((e: { field: string }) => e.field)).toEqual(fields);
}
/** A body with `{}`-like text in place of a field's value, as no `JSON.stringify` would make it. */
const withField = (name: string, json: string) => JSON.stringify(valid).replace(/}$/, `,"${name}":${json}}`);

describe('half a surrogate pair or NUL in a string', () => {
  it.each([
    ['a value', withField('env', '{"A":"\\ud800"}'), 'env.A'],
    ['a value, in the middle', withField('env', '{"A":"x\\udfffy"}'), 'env.A'],
    ['a name', withField('env', '{"A\\ud800":"x"}'), 'env.A\ud800'],
    ['a command', withField('frontend', '{"buildCommand":"echo \\ud800"}'), 'frontend.buildCommand'],
    ['a path', withField('backend', '{"path":"\\udc00"}'), 'backend.path'],
    ['a ref', withField('ref', '"\\ud800"'), 'ref'],
    ['a git URL', JSON.stringify(valid).replace('git.example', 'git.example\\ud83d'), 'gitUrl'],
    ['a git token', withField('gitToken', '"\\ud800"'), 'gitToken'],
    ['a project', JSON.stringify(valid).replace('"site"', '"\\ud800"'), 'projectId'],
    ['a field that nobody knows', withField('x\\ud800', '1'), 'x\ud800'],
    ['NUL in a variable', withField('env', '{"A":"\\u0000"}'), 'env.A'],
    ['NUL in an unknown array', withField('x', '[1,[2,"\\u0000"]]'), 'x.1.1'],
  ])('is refused with its place: %s', async (_, body, field) => {
    expectRefusal(await post(body), 'INVALID_REQUEST', [field]);
  });
});

describe('names that reach a prototype', () => {
  it.each(['__proto__', 'constructor', 'prototype'])('%s is refused as a variable, not dropped', async (name) => {
    expectRefusal(await post(withField('env', `{"${name}":"x"}`)), 'INVALID_REQUEST', [`env.${name}`]);
    expectRefusal(
      await post(withField('env', `{"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":"x"}`)),
      'INVALID_REQUEST',
      [`env.${name}`],
    );
  });

  it('anywhere else too, and nothing is polluted', async () => {
    expectRefusal(await post(withField('__proto__', '{"polluted":"yes"}')), 'INVALID_REQUEST', ['__proto__']);
    expectRefusal(
      await post(withField('frontend', '{"constructor":{"prototype":{"polluted":1}}}')),
      'INVALID_REQUEST',
      ['frontend.constructor', 'frontend.constructor.prototype'],
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    for (const id of ['__proto__', 'constructor', 'toString'])
      expectRefusal(await api.call('GET', `/deployments/${id}`), 'NOT_FOUND');
    expect((await api.call('GET', '/deployments?__proto__=x')).status).toBe(400);
    expect((await api.call('GET', '/deployments?projectId=constructor')).body).toEqual({ items: [] });
  });
});

describe('JSON that two readers read differently', () => {
  it.each([
    ['a field given twice', withField('projectId', '"other"'), ['projectId']],
    ['a variable given twice', withField('env', '{"A":"1","A":"2"}'), ['env.A']],
    ['the same name spelled otherwise', withField('env', '{"A":"1","\\u0041":"2"}'), ['env.A']],
  ])('is refused: %s', async (_, body, fields) => {
    expectRefusal(await post(body), 'INVALID_REQUEST', fields);
  });

  it.each([
    ['nothing', ''],
    ['blanks', '  \n'],
    ['a trailing comma', '{"projectId":"site",}'],
    ['a comment', '{} // x'],
    ['two values', '{}{}'],
    ['a byte order mark', `\ufeff${JSON.stringify(valid)}`],
    ['NaN', withField('x', 'NaN')],
    ['deep arrays', withField('x', '['.repeat(100_000) + ']'.repeat(100_000))],
    ['deep objects', withField('x', `${'{"a":'.repeat(30)}1${'}'.repeat(30)}`)],
  ])('is malformed: %s', async (_, body) => {
    expectRefusal(await post(body), 'MALFORMED_JSON');
  });

  it.each(['1e400', '-0', '18.5', '1'.repeat(400), '"18"', '[18]', '{}', 'null'])(
    'takes %s for no Node version',
    async (number) => {
      expectRefusal(await post(withField('frontend', `{"nodeVersion":${number}}`)), 'INVALID_REQUEST');
    },
  );

  it.each(['null', '[]', '1', '"x"', '[{}]'])('wants an object, not %s', async (body) => {
    expectRefusal(await post(body), 'INVALID_REQUEST');
  });
});

describe('a body in another form', () => {
  const json = JSON.stringify(valid);
  it.each([
    ['no type', { 'Content-Type': '' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['text, as pages of other origins may send', { 'Content-Type': 'text/plain' }],
    ['a type that begins like JSON', { 'Content-Type': 'application/jsonp' }],
    ['a type that ends like JSON', { 'Content-Type': 'text/plain; x=application/json' }],
    ['another charset', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['another charset, quoted', { 'Content-Type': 'application/json;charset="latin1"' }],
    ['a coding', { 'Content-Encoding': 'br' }],
  ])('is refused with a sentence: %s', async (_, headers) => {
    expectRefusal(await post(json, headers as Record<string, string>), 'MALFORMED_JSON');
  });

  it('compressed, or with bytes that are no UTF-8', async () => {
    for (const [bytes, headers] of [
      [gzipSync(json), { 'Content-Encoding': 'gzip' }],
      [gzipSync(json), {}],
      [Buffer.concat([Buffer.from('{"projectId":"'), Buffer.from([0xff, 0xc0]), Buffer.from('"}')]), {}],
    ] as const) {
      const answer = await api.call('POST', '/deployments', bytes, { headers });
      expectRefusal(answer, 'MALFORMED_JSON');
      expect(answer.body.detail).not.toMatch(/Unexpected token/);
    }
  });

  it('does not quote a body that cannot be parsed: it may hold a token', async () => {
    const answer = await post('{"gitToken":"s3cret" oops');
    expectRefusal(answer, 'MALFORMED_JSON');
    expect(JSON.stringify(answer.body)).not.toContain('s3cret');
  });
});

describe('ids, paths, queries', () => {
  it.each(['x'.repeat(65), 'x'.repeat(5_000), '%00', '%ff', '..%2f..%2fetc', 'A', 'a b', 'a:b', '%F0%9F%92%A9'])(
    'an id that none can have is not found: %s',
    async (id) => {
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/logs'],
        ['POST', '/cancel'],
        ['POST', '/redeploy'],
      ] as const)
        expectRefusal(await api.call(method, `/deployments/${id}${path}`), 'NOT_FOUND');
    },
  );

  it.each(['/deployments/', '//deployments', '/Deployments', '/deployments//', '/tickets/', '/healthz/'])(
    'a path that looks like one is none: %s',
    async (path) => {
      expectRefusal(await api.call('GET', path), 'NOT_FOUND');
    },
  );

  it.each([
    'limit=1&limit=2',
    'limit=',
    'limit=1e1',
    'limit=0x10',
    'limit=+1',
    'limit=1.0',
    'cursor=a&cursor=b',
    'projectId=',
  ])('a list does not guess what is meant by %s', async (query) => {
    expectRefusal(await api.call('GET', `/deployments?${query}`), 'INVALID_REQUEST');
  });

  it('says which methods a path has, and HEAD is one of them', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/deployments', 'GET, HEAD, POST'],
      ['PUT', '/deployments/x', 'GET, HEAD'],
      ['GET', '/deployments/x/cancel', 'POST'],
      ['PATCH', '/analyze', 'POST'],
      ['OPTIONS', '/tickets', 'POST'],
      ['POST', '/healthz', 'GET, HEAD'],
    ] as const) {
      const answer = await api.call(method, path);
      expectRefusal(answer, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe(allow);
    }
    expect(await api.call('HEAD', '/healthz', undefined, { as: null })).toMatchObject({ status: 200, body: '' });
    expectRefusal(await api.call('DELETE', '/nothing'), 'NOT_FOUND');
  });

  it('does not tell strangers which methods there are', async () => {
    const answer = await api.call('DELETE', '/deployments', undefined, { as: null });
    expectRefusal(answer, 'UNAUTHORIZED');
    expect(answer.headers.get('allow')).toBeNull();
  });

  it('cannot be framed, sniffed, cached or embedded', async () => {
    const { headers } = await api.call('GET', '/openapi.json', undefined, { as: null });
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
  });
});
