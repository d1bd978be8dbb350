import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { type CredentialStore, createCredentialStore } from '../../../local/awsProtocol/credentials.ts';
import type { Endpoint } from '../../../local/awsProtocol/listen.ts';
import { escapeXml } from '../../../local/awsProtocol/xml.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { decodeEntities } from '../../../local/s3/xmlBody.ts';
import { startStsEndpoint } from '../../../local/sts/endpoint.ts';

const Bucket = 'veren-v2';
let dataDir: string;
let credentials: CredentialStore;
let s3: Endpoint;
let sts: Endpoint;
let root: S3Client;
const clients: { destroy(): void }[] = [];

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
function clientFor(keys: Keys): S3Client {
  const client = new S3Client({
    endpoint: s3.url,
    region: 'ap-south-1',
    forcePathStyle: true,
    credentials: { ...keys }, // the SDK writes into the object that it is given
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

function stsFor(keys: Keys): STSClient {
  const client = new STSClient({ endpoint: sts.url, region: 'ap-south-1', credentials: { ...keys }, maxAttempts: 1 });
  clients.push(client);
  return client;
}

async function session(policy?: unknown): Promise<Keys> {
  const { Credentials: c } = await stsFor(credentials.root).send(
    new AssumeRoleCommand({
      RoleArn: 'arn:aws:iam::000000000000:role/veren-build',
      RoleSessionName: 'd1-frontend-1',
      DurationSeconds: 900,
      ...(policy !== undefined && { Policy: typeof policy === 'string' ? policy : JSON.stringify(policy) }),
    }),
  );
  return { accessKeyId: c!.AccessKeyId!, secretAccessKey: c!.SecretAccessKey!, sessionToken: c!.SessionToken! };
}

const put = (Key: string, Body: string | Buffer | Readable, more: Partial<PutObjectCommand['input']> = {}) =>
  root.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const text = async (Key: string, client = root) =>
  (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (e: { name: string; $metadata?: { httpStatusCode?: number } }) => `${e.$metadata?.httpStatusCode} ${e.name}`,
  );

async function start() {
  credentials = await createCredentialStore({ dataDir });
  s3 = await startS3Endpoint({ dataDir, credentials, onError: (e) => console.error(e) });
  sts = await startStsEndpoint({ credentials });
  root = clientFor(credentials.root);
}
async function stop() {
  for (const client of clients.splice(0)) client.destroy();
  await s3.close();
  await sts.close();
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-s3-'));
  await start();
  await root.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await stop();
  await rm(dataDir, { recursive: true });
});

describe('objects', () => {
  test('a body, its headers, metadata and checksum come back as they were put', async () => {
    const body = randomBytes(3_000);
    const sha = createHash('sha256').update(body).digest('base64');
    const done = await put('a/page.html', body, {
      ContentType: 'text/html; charset=utf-8',
      CacheControl: 'no-cache',
      ContentEncoding: 'br',
      Metadata: { sha: 'abc' },
      ChecksumAlgorithm: 'SHA256',
    });
    expect(done.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    const got = await root.send(new GetObjectCommand({ Bucket, Key: 'a/page.html' }));
    expect(Buffer.from(await got.Body!.transformToByteArray())).toEqual(body);
    const head = await root.send(new HeadObjectCommand({ Bucket, Key: 'a/page.html', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentLength: 3_000,
      ContentType: 'text/html; charset=utf-8',
      CacheControl: 'no-cache',
      ContentEncoding: 'br',
      Metadata: { sha: 'abc' },
      ChecksumSHA256: sha,
    });
  });

  test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    'a stream with a trailing %s is stored as sent',
    async (ChecksumAlgorithm) => {
      const parts = Array.from({ length: 40 }, (_, i) => randomBytes(1 + ((i * 37_123) % 90_000)));
      const body = Buffer.concat(parts);
      await put('stream.bin', Readable.from(parts), { ContentLength: body.length, ChecksumAlgorithm });
      const got = await root.send(new GetObjectCommand({ Bucket, Key: 'stream.bin' }));
      expect(got.ContentEncoding).toBeUndefined();
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body)).toBe(true);
    },
  );

  test('ranges and conditions', async () => {
    const { ETag } = await put('r.txt', '0123456789');
    const range = async (Range: string) => {
      const got = await root.send(new GetObjectCommand({ Bucket, Key: 'r.txt', Range }));
      return [got.$metadata.httpStatusCode, got.ContentRange, await got.Body!.transformToString()];
    };
    expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await range('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await range('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await codeOf(range('bytes=10-'))).toBe('416 InvalidRange');
    const get = (more: object) => root.send(new GetObjectCommand({ Bucket, Key: 'r.txt', ...more }));
    expect(await codeOf(get({ IfMatch: '"other"' }))).toMatch(/^412 /);
    expect(await codeOf(get({ IfNoneMatch: ETag }))).toMatch(/^304 /);
    expect(await codeOf(put('r.txt', 'x', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await codeOf(put('r.txt', 'x', { IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await codeOf(put('absent.txt', 'x', { IfMatch: ETag! }))).toBe('404 NoSuchKey');
    await put('r.txt', 'new', { IfMatch: ETag! });
    expect(await text('r.txt')).toBe('new');
  });

  test('of many conditional creations at once exactly one wins', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => codeOf(put('once.json', `writer ${i}`, { IfNoneMatch: '*' }))),
    );
    expect(results.filter((r) => r === 'no error')).toHaveLength(1);
    expect(await text('once.json')).toBe(`writer ${results.indexOf('no error')}`);
  });

  test('hostile keys are only names', async () => {
    const keys = [
      'k',
      'k/b',
      'K',
      '../../escape',
      '/lead',
      'a//b',
      'a/./b',
      '..',
      ' +%2F?#&=',
      'ü\u{1F600}\n',
      'x'.repeat(1_024),
      '_',
      '__proto__',
    ];
    await Promise.all(keys.map((key) => put(`h/${key}`.slice(0, 1_024), key)));
    for (const key of keys) expect(await text(`h/${key}`.slice(0, 1_024))).toBe(key);
    const listed = await root.send(new ListObjectsV2Command({ Bucket, Prefix: 'h/' }));
    expect(listed.Contents!.map((c) => c.Key).sort()).toEqual(keys.map((k) => `h/${k}`.slice(0, 1_024)).sort());
    expect(await codeOf(put('x'.repeat(1_025), 'x'))).toBe('400 KeyTooLongError');
    expect((await readdir(join(dataDir, 's3'))).sort()).toEqual(['blobs', 'objects.ndjson']);
  });

  test('copies share bytes and survive the source', async () => {
    await put('c/from.js', 'let a', { ContentType: 'text/javascript', Metadata: { a: '1' } });
    await root.send(new CopyObjectCommand({ Bucket, Key: 'c/to.js', CopySource: `${Bucket}/c/from.js` }));
    await root.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'c/other.js',
        CopySource: `/${Bucket}/c/from.js`,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/plain',
      }),
    );
    await root.send(new DeleteObjectCommand({ Bucket, Key: 'c/from.js' }));
    expect(await text('c/to.js')).toBe('let a');
    expect((await root.send(new HeadObjectCommand({ Bucket, Key: 'c/to.js' }))).Metadata).toEqual({ a: '1' });
    const other = await root.send(new HeadObjectCommand({ Bucket, Key: 'c/other.js' }));
    expect([other.ContentType, other.Metadata]).toEqual(['text/plain', {}]);
    expect(await codeOf(text('c/from.js'))).toBe('404 NoSuchKey');
  });

  test('listing: order, prefixes, pages; batch deletion', async () => {
    const keys = ['l/a', 'l/a/1', 'l/a/2', 'l/b', 'l/c/1', 'l/c/d/2', 'l/\uffee', 'l/\u{1F600}'];
    await Promise.all(keys.map((key) => put(key, key)));
    const page = async (MaxKeys: number, Delimiter?: string) => {
      const seen: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const p = await root.send(
          new ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys, Delimiter, ContinuationToken }),
        );
        seen.push(...(p.Contents ?? []).map((c) => c.Key!), ...(p.CommonPrefixes ?? []).map((c) => c.Prefix!));
        expect(p.KeyCount).toBeLessThanOrEqual(MaxKeys);
        ContinuationToken = p.NextContinuationToken;
      } while (ContinuationToken);
      return seen;
    };
    for (const size of [1, 2, 3, 1_000]) {
      expect(await page(size)).toEqual(keys);
      expect((await page(size, '/')).sort()).toEqual(['l/a', 'l/a/', 'l/b', 'l/c/', 'l/\uffee', 'l/\u{1F600}'].sort());
    }
    const old = await root.send(
      new ListObjectsCommand({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 2, Marker: 'l/a' }),
    );
    expect([old.Contents!.map((c) => c.Key), old.CommonPrefixes!.map((c) => c.Prefix), old.NextMarker]).toEqual([
      ['l/b'],
      ['l/a/'],
      'l/b',
    ]);
    const deleted = await root.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [...keys, 'l/absent', 'l/&<>"'].map((Key) => ({ Key })) },
      }),
    );
    expect(deleted.Deleted).toHaveLength(keys.length + 2);
    expect(await page(1_000)).toEqual([]);
  });

  test('multipart: parts become one object, ranges cross them, wrong parts are refused', async () => {
    const Key = 'm/large.bin';
    const { UploadId } = await root.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'video/mp4' }));
    const bodies = [randomBytes(5 * 1024 * 1024), randomBytes(1_000)];
    const upload = (Body: Buffer, PartNumber: number) =>
      root.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    await upload(randomBytes(10), 1);
    const [one, two] = await Promise.all([upload(bodies[0]!, 1), upload(bodies[1]!, 2)]);
    const complete = (etags: (string | undefined)[]) =>
      root.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key,
          UploadId,
          MultipartUpload: { Parts: etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) },
        }),
      );
    expect(await codeOf(complete(['"0"', two.ETag]))).toBe('400 InvalidPart');
    expect((await complete([one.ETag, two.ETag])).ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    const at = bodies[0]!.length;
    const got = await root.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${at - 3}-${at + 2}` }));
    expect(Buffer.from(await got.Body!.transformToByteArray())).toEqual(Buffer.concat(bodies).subarray(at - 3, at + 3));
    expect(got.ContentType).toBe('video/mp4');
    expect(await codeOf(complete([one.ETag, two.ETag]))).toBe('404 NoSuchUpload');
    const again = await root.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await root.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: again.UploadId }));
  });

  test('a reader that leaves in the middle costs nothing', async () => {
    await put('long.bin', Buffer.alloc(3_000_000));
    for (let i = 0; i < 20; i++) {
      const { Body } = await root.send(new GetObjectCommand({ Bucket, Key: 'long.bin' }));
      (Body as Readable).destroy();
    }
    expect((await text('long.bin')).length).toBe(3_000_000);
    const openFiles = async () => {
      const fds = await readdir('/proc/self/fd').catch(() => []);
      const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return targets.filter((t) => t.includes('/blobs/')).length;
    };
    for (let i = 0; i < 1_000 && (await openFiles()) > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await openFiles()).toBe(0);
  });

  test('a body that breaks off or does not match leaves the old object', async () => {
    await put('keep.txt', 'old');
    jest.spyOn(console, 'warn').mockImplementationOnce(() => undefined); // the SDK's, that it cannot send a stream twice
    const cut = new AbortController();
    const stalled = new Readable({ read() {} });
    stalled.push('half');
    const command = new PutObjectCommand({ Bucket, Key: 'keep.txt', Body: stalled, ContentLength: 100 });
    const upload = root.send(command, { abortSignal: cut.signal });
    setTimeout(() => cut.abort(), 100);
    await expect(upload).rejects.toThrow();
    expect(
      await codeOf(put('keep.txt', 'new', { ChecksumSHA256: createHash('sha256').update('x').digest('base64') })),
    ).toBe('400 BadDigest');
    expect(await text('keep.txt')).toBe('old');
  });
});

test('entities of XML, named and numeric, are decoded once', () => {
  expect(decodeEntities('&#34;&quot;&#x1F600;&amp;lt;&#38;amp; &nope; &')).toBe('""\u{1F600}&lt;&amp; &nope; &');
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(decodeEntities(escapeXml(text))).toBe(text)));
});

describe('access', () => {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject'],
        Resource: `arn:aws:s3:::${Bucket}/__outputs/mine/*`,
      },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: `arn:aws:s3:::${Bucket}`,
        Condition: { StringLike: { 's3:prefix': '__outputs/mine/*' } },
      },
    ],
  };

  test('a session does what its policy says, and nothing else', async () => {
    await put('__outputs/theirs/a', 'theirs');
    const mine = clientFor(await session(policy));
    const send = (Key: string) => mine.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    await send('__outputs/mine/a');
    expect(await text('__outputs/mine/a', mine)).toBe('x');
    expect(await codeOf(send('__outputs/mine'))).toBe('403 AccessDenied');
    expect(await codeOf(send('__outputs/theirs/a'))).toBe('403 AccessDenied');
    expect(await codeOf(text('__outputs/theirs/a', mine))).toBe('403 AccessDenied');
    const copy = (from: string, to: string) =>
      mine.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` }));
    await copy('__outputs/mine/a', '__outputs/mine/b');
    expect(await codeOf(copy('__outputs/theirs/a', '__outputs/mine/c'))).toBe('403 AccessDenied');
    const list = (Prefix?: string) => mine.send(new ListObjectsV2Command({ Bucket, Prefix }));
    expect((await list('__outputs/mine/')).KeyCount).toBe(2);
    expect(await codeOf(list('__outputs/'))).toBe('403 AccessDenied');
    expect(await codeOf(list())).toBe('403 AccessDenied');
    expect(await codeOf(mine.send(new CreateBucketCommand({ Bucket: 'another' })))).toBe('403 AccessDenied');
    const deleted = await mine.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: '__outputs/mine/a' }, { Key: '__outputs/theirs/a' }] },
      }),
    );
    expect(deleted.Deleted!.map((d) => d.Key)).toEqual(['__outputs/mine/a']);
    expect(deleted.Errors!.map((d) => [d.Key, d.Code])).toEqual([['__outputs/theirs/a', 'AccessDenied']]);
    expect(await text('__outputs/theirs/a')).toBe('theirs');
  });

  test('without a known key, the right secret and token nothing is possible', async () => {
    expect((await fetch(`${s3.url}/${Bucket}/__outputs/theirs/a`)).status).toBe(403);
    expect((await fetch(`${s3.url}/${Bucket}/x`, { method: 'PUT', body: 'x' })).status).toBe(403);
    const keys = await session(policy);
    const { root: own } = credentials;
    const attempt = (k: Keys) => codeOf(clientFor(k).send(new HeadBucketCommand({ Bucket })));
    const get = (k: Keys) => codeOf(text('__outputs/mine/b', clientFor(k)));
    expect(await get({ ...own, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' })).toBe('403 InvalidAccessKeyId');
    expect(await get({ ...own, secretAccessKey: 'wrong' })).toBe('403 SignatureDoesNotMatch');
    expect(await get({ ...keys, sessionToken: 'forged' })).toBe('400 InvalidToken');
    expect(await get({ accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey })).toBe(
      '400 InvalidToken',
    );
    expect(await get(keys)).toBe('no error');
    expect(await attempt(own)).toBe('no error');
    expect(await attempt(keys)).toMatch(/^403/);
  });

  test('a session ends', async () => {
    let now = Date.now();
    const store = await createCredentialStore({ dataDir, clock: { now: () => now } });
    const endpoint = await startS3Endpoint({
      dataDir: join(dataDir, 'other'),
      credentials: store,
      clock: { now: () => now },
    });
    const { accessKeyId, secretAccessKey, session: s } = store.mint({ arn: 'arn:test', durationSeconds: 600 });
    const client = new S3Client({
      endpoint: endpoint.url,
      region: 'ap-south-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId, secretAccessKey, sessionToken: s.token },
    });
    clients.push(client);
    await client.send(new CreateBucketCommand({ Bucket }));
    const get = () => codeOf(client.send(new GetObjectCommand({ Bucket, Key: 'x' })));
    expect(await get()).toBe('404 NoSuchKey');
    now += 600_000;
    expect(await get()).toBe('400 ExpiredToken');
    now += 3_600_000;
    expect(await get()).toBe('403 RequestTimeTooSkewed');
    await endpoint.close();
  });

  test('STS refuses what STS refuses', async () => {
    expect(await codeOf(session('{"Statement":[]}'))).toMatch(/^400 MalformedPolicyDocument/);
    expect(await codeOf(session('x'.repeat(2_049)))).toMatch(/^400 PackedPolicyTooLarge/);
    const keys = await session(policy);
    const identity = await stsFor(keys).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe('arn:aws:sts::000000000000:assumed-role/veren-build/d1-frontend-1');
    const assume = new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/r', RoleSessionName: 'again' });
    expect(await codeOf(stsFor(keys).send(assume))).toBe('403 AccessDenied');
    expect(await codeOf(stsFor({ ...keys, sessionToken: 'x' }).send(new GetCallerIdentityCommand({})))).toMatch(/^403/);
  });
});

test('a restart keeps objects and keys, and leaves no stray files', async () => {
  const { root: before } = credentials;
  await put('s/kept', 'kept');
  await put('s/replaced', 'old'.repeat(100));
  await put('s/replaced', 'new');
  await root.send(new CopyObjectCommand({ Bucket, Key: 's/copy', CopySource: `${Bucket}/s/kept` }));
  await root.send(new DeleteObjectCommand({ Bucket, Key: 's/kept' }));
  await put('s/unfinished', 'x');
  const { UploadId } = await root.send(new CreateMultipartUploadCommand({ Bucket, Key: 's/multi' }));
  await root.send(new UploadPartCommand({ Bucket, Key: 's/multi', UploadId, PartNumber: 1, Body: 'part' }));
  await stop();
  await appendFile(join(dataDir, 's3', 'objects.ndjson'), '{"op":"delete","bucket":"veren-v2","ke');
  await start();
  expect(credentials.root).toEqual(before);
  expect([await text('s/copy'), await text('s/replaced')]).toEqual(['kept', 'new']);
  await put('s/after', 'after');
  await stop();
  await start();
  expect(await text('s/after')).toBe('after');
  const listed = await root.send(new ListObjectsV2Command({ Bucket }));
  const blobs = (await readdir(join(dataDir, 's3', 'blobs'), { recursive: true })).filter((f) => f.length > 3);
  // Every blob is named by an object: one for each, but for the large upload, which has two.
  expect(blobs.length).toBeLessThanOrEqual(listed.KeyCount! + 1);
});
