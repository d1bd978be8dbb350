import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createCredentialStore, type KeyPair } from '../../../local/awsProtocol/credentials.ts';
import { startS3Endpoint } from '../../../local/s3/endpoint.ts';
import { openJournal } from '../../../local/s3/journal.ts';

const Bucket = 'veren-v2';
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'veren-crash-'));
});
let platform: ChildProcess | undefined;
afterEach(async () => {
  platform?.kill('SIGKILL');
  await rm(dataDir, { recursive: true });
});

const clientOf = (endpoint: string, root: KeyPair) =>
  new S3Client({ endpoint, region: 'ap-south-1', forcePathStyle: true, credentials: { ...root }, maxAttempts: 1 });
/** Its content tells its key and version; long ones reach the disk in several writes. */
const content = (key: string, version: number) => `${key} ${version} `.repeat(key.endsWith('0') ? 60_000 : 10);

test('kill -9 under load: what was acknowledged is there and whole, nothing is torn, no stray file stays', async () => {
  const child = spawn('node', ['--import', 'tsx', join(__dirname, 'crash.fixture.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  platform = child;
  const url = await new Promise<string>((resolve) => child.stdout.once('data', (d) => resolve(String(d).trim())));
  const { root } = await createCredentialStore({ dataDir });
  const client = clientOf(url, root);
  await client.send(new CreateBucketCommand({ Bucket }));
  const acknowledged = new Map<string, number>();
  let alive = true;
  let puts = 0;
  const writer = async (w: number) => {
    for (let version = 0; alive; version++) {
      const key = `writer ${w}/${version % 5}`;
      const put = new PutObjectCommand({ Bucket, Key: key, Body: content(key, version) });
      const done = await client.send(put).then(
        () => true,
        () => false,
      );
      if (!done) return;
      acknowledged.set(key, version);
      puts++;
    }
  };
  const writers = Promise.all(Array.from({ length: 10 }, (_, w) => writer(w)));
  while (puts < 150) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  alive = false;
  await writers;
  client.destroy();
  expect(acknowledged.size).toBeGreaterThan(10);

  const endpoint = await startS3Endpoint({ dataDir, credentials: await createCredentialStore({ dataDir }) });
  const again = clientOf(endpoint.url, root);
  for (const [key, version] of acknowledged) {
    const body = await (await again.send(new GetObjectCommand({ Bucket, Key: key }))).Body!.transformToString();
    // A write that was under way may have been carried out without its answer: then it is the next one of this key.
    expect([content(key, version), content(key, version + 5)]).toContain(body);
  }
  const { KeyCount } = await again.send(new ListObjectsV2Command({ Bucket }));
  const blobs = (await readdir(join(dataDir, 's3', 'blobs'), { recursive: true })).filter((name) => name.length > 3);
  expect(blobs).toHaveLength(KeyCount!);
  again.destroy();
  await endpoint.close();
}, 180_000);

describe('the journal', () => {
  type Entry = [key: string, value: number];
  const open = async (state: Map<string, number>) =>
    openJournal<Entry>({
      path: join(dataDir, 'j.ndjson'),
      apply: ([key, value]) => void state.set(key, value),
      snapshot: () => state,
      size: () => state.size,
      hasEvidence: async () => false,
    });

  test('is written anew when most of it is dead, and loses nothing by it', async () => {
    const state = new Map<string, number>();
    const journal = await open(state);
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 3_000 }, (_, i) => journal.append([`key ${i % 100}`, round * 3_000 + i])));
    await journal.close();
    expect((await stat(join(dataDir, 'j.ndjson'))).size).toBeLessThan(13_000 * 20);
    const loaded = new Map<string, number>();
    const next = await open(loaded);
    expect(loaded).toEqual(state);
    await next.append(['last', 1]);
    await next.close();
    const final = new Map<string, number>();
    await (await open(final)).close();
    expect(final).toEqual(new Map([...state, ['last', 1]]));
  });

  test('a torn last line is cut off; a damaged line in the middle is reported', async () => {
    const file = join(dataDir, 'j.ndjson');
    await writeFile(file, '["a",1]\n["b",2]\n["c",');
    const state = new Map<string, number>();
    const journal = await open(state);
    await journal.append(['d', 4]);
    await journal.close();
    const loaded = new Map<string, number>();
    await (await open(loaded)).close();
    expect(loaded).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
        ['d', 4],
      ]),
    );
    await writeFile(file, '["a",1]\n["b"\n["c",3]\n');
    await expect(open(new Map())).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  });
});
