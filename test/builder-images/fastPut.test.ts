import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type FastPutOptions, fastPut } from '../../builder-images/builder-image-frontend/utils/fast-put.ts';
import { s3Objects } from '../../builder-images/builder-image-frontend/utils/objects.ts';
import { World } from './harness.ts';

/** The fast path against an S3 endpoint that checks every signature, and what happens where it fails. */
const world = new World('');
beforeAll(async () => {
  await world.start();
});
afterAll(() => world.close());

const job = { projectId: 'fast', deploymentId: 'd1', url: 'x', commit: 'x' };
function options(more: Partial<FastPutOptions> = {}): FastPutOptions {
  const env = world.environment(job);
  return {
    bucket: 'sites',
    region: 'ap-south-1',
    accessKeyId: env.AWS_ACCESS_KEY_ID!,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY!,
    sessionToken: env.AWS_SESSION_TOKEN!,
    endpoint: world.s3Url,
    now: Date.now,
    ...more,
  };
}
const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const body = Buffer.from('héllo');
const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'public, max-age=0' };

test.each(['a.txt', "it's (a) *star*!.txt", 'ünï/çödé 日本.txt', 'a+b=c&d;e,f@g.txt', '100%/#?.txt', 'emoji-🚀.txt'])(
  'the key %p is signed as the server reads it, for a put and a copy',
  async (name) => {
    const fast = fastPut(options())!;
    const key = `__outputs/fast/${name}`;
    expect(await fast.put(key, headers, body, sha256(body))).toBe(true);
    expect(await fast.copy(`sites/${key}`, `__outputs/fast/copy/${name}`)).toBe(true);
    for (const path of [name, `copy/${name}`]) {
      const found = await world.page('fast', path);
      expect([found.text, found.ContentType, found.CacheControl]).toEqual(['héllo', ...Object.values(headers)]);
    }
  },
);

test('anything but success is not done: a wrong key, a foreign prefix, other bytes, nobody there', async () => {
  const put = (o: FastPutOptions, key = '__outputs/fast/x', hash = sha256(body)) =>
    fastPut(o)!.put(key, headers, body, hash);
  expect(await put(options({ secretAccessKey: 'wrong' }))).toBe(false);
  expect(await put(options(), '__outputs/other/x')).toBe(false);
  expect(await put(options(), '__outputs/fast/x', sha256(Buffer.from('other')))).toBe(false);
  expect(await put(options({ endpoint: 'http://127.0.0.1:1' }))).toBe(false);
  expect(await fastPut(options())!.copy('sites/__outputs/fast/absent', '__outputs/fast/x')).toBe(false);
  expect(await world.site('fast')).not.toContain('x');
});

test('an address that is not certain is left to the SDK', () => {
  for (const more of [{ region: 'cn-north-1' }, { region: 'us-gov-west-1' }, { bucket: 'a.b' }])
    expect(fastPut(options({ endpoint: undefined, ...more }))).toBeNull();
  expect(fastPut(options({ endpoint: undefined }))).not.toBeNull();
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
  const objects = () => s3Objects({ ...options(), endpoint });
  const ok = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>';

  test('the SDK does it', async () => {
    answer = (fast) =>
      fast ? { status: 503, body: '<Error><Code>SlowDown</Code></Error>' } : { status: 200, body: '' };
    await objects().put('__outputs/fast/a', body, { contentType: 'text/plain', sha256: sha256(body) });
    // Status 200 with an error in it, as S3 may answer a copy.
    answer = (fast) => ({ status: 200, body: fast ? '<Error><Code>InternalError</Code></Error>' : ok });
    await objects().copy('__outputs/fast/a', '__outputs/fast/b');
    expect(agents).toEqual(['fast', 'sdk', 'fast', 'sdk']);
  });

  test('what the SDK cannot do either is its error', async () => {
    answer = () => ({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' });
    await expect(objects().copy('__outputs/fast/a', '__outputs/fast/b')).rejects.toThrow('no');
  });
});
