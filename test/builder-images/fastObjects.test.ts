import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastObjects } from '../../builder-images/shared/fast-objects.ts';
import { collectBody } from '../../builder-images/shared/fast-transport.ts';
import type { ObjectsAccess } from '../../builder-images/shared/object-calls.ts';
import { builderAccess, s3Objects } from '../../builder-images/shared/objects.ts';
import { World } from './harness.ts';

/** The fast path against an S3 endpoint that checks every signature, and what happens where it fails. */
const world = new World('');
beforeAll(async () => {
  await world.start();
});
afterAll(() => world.close());

const job = { projectId: 'fast', deploymentId: 'd1', url: 'x', commit: 'x' };
function access(more: Partial<ObjectsAccess> = {}): ObjectsAccess {
  const env = world.environment(job) as Parameters<typeof builderAccess>[0];
  return { ...builderAccess(env, world.s3Url), ...more };
}
const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const body = Buffer.from('héllo');
const meta = { contentType: 'text/plain; charset=utf-8', cacheControl: 'public, max-age=0', sha256: sha256(body) };

test.each(['a.txt', "it's (a) *star*!.txt", 'ünï/çödé 日本.txt', 'a+b=c&d;e,f@g.txt', '100%/#?.txt', 'emoji-🚀.txt'])(
  'the key %p is signed as the server reads it, for a put and a copy',
  async (name) => {
    const fast = fastObjects(access())!;
    const key = `__deployments/fast/d1/${name}`;
    expect(await fast.put(key, body, meta)).toBe(true);
    expect(await fast.copy(`sites/${key}`, `__deployments/fast/d1/copy/${name}`)).toBe(true);
    for (const path of [name, `copy/${name}`]) {
      const found = await world.object(`__deployments/fast/d1/${path}`);
      expect([found.text, found.ContentType, found.CacheControl]).toEqual([
        'héllo',
        meta.contentType,
        meta.cacheControl,
      ]);
    }
  },
);

test('anything but success is not done: a wrong key, a foreign prefix, other bytes, nobody there', async () => {
  const put = (o: ObjectsAccess, key = '__deployments/fast/d1/x', hash = sha256(body)) =>
    fastObjects(o)!.put(key, body, { ...meta, sha256: hash });
  expect(await put(access({ secretAccessKey: 'wrong' }))).toBe(false);
  expect(await put(access(), '__deployments/other/d1/x')).toBe(false);
  expect(await put(access(), '__deployments/fast/d1/x', sha256(Buffer.from('other')))).toBe(false);
  expect(await put(access({ endpoint: 'http://127.0.0.1:1' }))).toBe(false);
  expect(await fastObjects(access())!.copy('sites/__deployments/fast/d1/absent', '__deployments/fast/d1/x')).toBe(
    false,
  );
  expect(await world.site('fast')).not.toContain('x');
});

test('a file is sent as its bytes are, and one with other bytes than its checksum says is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veren-fast-'));
  try {
    const file = join(folder, 'large.bin');
    const content = randomBytes(9_000_000);
    writeFileSync(file, content);
    const given = { file, size: content.length };
    const fast = fastObjects(access())!;
    expect(await fast.put('__deployments/fast/d1/large.bin', given, { ...meta, sha256: sha256(content) })).toBe(true);
    expect((await world.object(`__deployments/fast/d1/${'large.bin'}`)).ContentLength).toBe(content.length);

    writeFileSync(file, randomBytes(content.length));
    const other = { ...meta, sha256: sha256(content) };
    expect(await fast.put('__deployments/fast/d1/changed.bin', given, other)).toBe(false);
    await expect(s3Objects(access()).put('__deployments/fast/d1/changed.bin', given, other)).rejects.toThrow(
      /checksum|sha256/i,
    );
    expect(await world.site('fast')).not.toContain('changed.bin');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('removal', () => {
  const NAMES = ['a & b <c>.txt', 'it\'s "odd".txt', 'ünï/日本 🚀.txt', '100%/+?#.txt', '&amp;.txt'];

  test('of many keys at once, whatever their names, and of none that is not named', async () => {
    const fast = fastObjects(access())!;
    const keys = NAMES.map((name) => `__deployments/fast/d1/removed/${name}`);
    for (const key of [...keys, '__deployments/fast/d1/removed/&.txt'])
      expect(await fast.put(key, body, meta)).toBe(true);
    expect(await fast.remove([...keys, '__deployments/fast/d1/removed/absent'])).toBe(true);
    const left = await world.keys('__deployments/fast/d1/removed/');
    expect(left).toEqual(['&.txt']);
  });

  test('is not done where a key is foreign, has no place in XML, or nobody is there', async () => {
    const fast = fastObjects(access())!;
    expect(await fast.remove(['__deployments/other/d1/x'])).toBe(false);
    for (const odd of ['\r', '\u0001', '\ud800'])
      expect(await fast.remove([`__deployments/fast/d1/${odd}`])).toBe(false);
    expect(await fastObjects(access({ secretAccessKey: 'wrong' }))!.remove(['__deployments/fast/d1/x'])).toBe(false);
    expect(await fastObjects(access({ endpoint: 'http://127.0.0.1:1' }))!.remove(['__deployments/fast/d1/x'])).toBe(
      false,
    );
  });

  test('of a refused key is an error by the SDK, and the others are gone', async () => {
    const objects = s3Objects(access());
    await objects.put('__deployments/fast/d1/mine', body, meta);
    await expect(objects.remove(['__deployments/fast/d1/mine', '__deployments/other/d1/x'])).rejects.toThrow(
      'could not be removed',
    );
    expect(await world.site('fast')).not.toContain('mine');
  });
});

describe('reads and conditional writes, with keys that may not list the bucket', () => {
  const fast = () => fastObjects(access())!;
  const key = "__deployments/fast/d1/odd (key)/it's.json";
  const text = (body: Buffer | null | undefined) => body?.toString();

  test('what is there, what is not, and what nobody knows', async () => {
    expect(await fast().get(key)).toBeNull();
    expect(await fast().stream(key)).toBeNull();
    expect(await fast().isEmpty(key)).toBe(true);
    const etag = await fast().putIf(key, '{"a":1}', null);
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await fast().get(key)).toEqual({ body: Buffer.from('{"a":1}'), etag });
    expect(text(await collectBody((await fast().stream(key)) as IncomingMessage))).toBe('{"a":1}');
    expect(await fast().isEmpty('__deployments/fast/d1/odd (key)/')).toBe(false);
    // There, but under a longer name only: whether the shorter one is absent or forbidden, the SDK has to find out.
    expect(await fast().get(key.slice(0, -1))).toBeUndefined();
    for (const foreign of ['__deployments/other/d1/x', '__deployments/other/x']) {
      expect(await fast().get(foreign)).toBeUndefined();
      expect(await fast().isEmpty(foreign)).toBe(false);
    }
    expect(await fastObjects(access({ secretAccessKey: 'wrong' }))!.get(key)).toBeUndefined();
    expect(await fastObjects(access({ endpoint: 'http://127.0.0.1:1' }))!.get(key)).toBeUndefined();
  });

  test('a condition that does not hold changes nothing', async () => {
    const first = (await fast().get(key))!.etag;
    expect(await fast().putIf(key, 'again', null)).toBeUndefined();
    const second = await fast().putIf(key, 'second', first);
    expect(second).toBeDefined();
    expect(await fast().putIf(key, 'third', first)).toBeUndefined();
    expect(text((await fast().get(key))?.body)).toBe('second');
    // And with the SDK behind it: a conflict, told as one.
    const objects = s3Objects(access());
    expect(await objects.putIf(key, 'third', first)).toBeNull();
    expect(await objects.putIf(key, 'third', second!)).not.toBeNull();
  });
});

test('what is larger than the limit is read by neither path', async () => {
  const key = '__deployments/fast/d1/large';
  await fastObjects(access())!.put(key, body, meta);
  const limited = access({ maxBytes: body.length - 1 });
  expect(await fastObjects(limited)!.get(key)).toBeUndefined();
  await expect(s3Objects(limited).get(key)).rejects.toThrow(`${key} is larger than ${body.length - 1} bytes`);
  for (const maxBytes of [body.length, undefined])
    expect((await s3Objects(access(maxBytes === undefined ? {} : { maxBytes })).get(key))?.body).toEqual(body);
});

test('an address that is not certain is left to the SDK', () => {
  for (const more of [{ region: 'cn-north-1' }, { region: 'us-gov-west-1' }, { bucket: 'a.b' }])
    expect(fastObjects(access({ endpoint: undefined, ...more }))).toBeNull();
  expect(fastObjects(access({ endpoint: undefined }))).not.toBeNull();
});

describe('where the fast path fails', () => {
  let server: Server;
  const agents: string[] = [];
  let answer: (fast: boolean) => { status: number; body: string };
  let endpoint = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        const sdk = request.headers['user-agent'] !== undefined;
        agents.push(sdk ? 'sdk' : 'fast');
        const { status, body: text } = answer(!sdk);
        response.writeHead(status, { 'content-type': 'application/xml', etag: '"e"' }).end(text);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const objects = () => s3Objects({ ...access(), endpoint });
  const ok = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>';

  test('the SDK does it', async () => {
    answer = (fast) =>
      fast ? { status: 503, body: '<Error><Code>SlowDown</Code></Error>' } : { status: 200, body: '' };
    await objects().put('__deployments/fast/d1/a', body, { contentType: 'text/plain', sha256: sha256(body) });
    // Status 200 with an error in it, as S3 may answer a copy.
    answer = (fast) => ({ status: 200, body: fast ? '<Error><Code>InternalError</Code></Error>' : ok });
    await objects().copy('__deployments/fast/d1/a', '__deployments/fast/d1/b');
    expect(agents).toEqual(['fast', 'sdk', 'fast', 'sdk']);
    answer = (fast) =>
      fast ? { status: 503, body: '<Error><Code>SlowDown</Code></Error>' } : { status: 200, body: 'there' };
    expect(await objects().get('__deployments/fast/d1/a')).toEqual({ body: Buffer.from('there'), etag: '"e"' });
    expect(await objects().putIf('__deployments/fast/d1/a', 'x', null)).toBe('"e"');
    expect(agents.slice(4)).toEqual(['fast', 'sdk', 'fast', 'sdk']);
  });

  test('what the SDK cannot do either is its error', async () => {
    answer = () => ({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' });
    await expect(objects().copy('__deployments/fast/d1/a', '__deployments/fast/d1/b')).rejects.toThrow('no');
  });
});
