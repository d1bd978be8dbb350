import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectStore } from '../../../local/s3/store.ts';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-objects-'));
  file = join(dir, 'objects.ndjson');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function write(store: ObjectStore, key: string, text: string): Promise<void> {
  const writer = store.blobs.writer();
  await writer.write(Buffer.from(text));
  const segments = await writer.finish();
  await store.put('b', key, { size: text.length, etag: 'e', modified: 0, headers: {}, segments });
}

async function filled(): Promise<Buffer> {
  const store = await ObjectStore.open(dir);
  await store.createBucket('b', 0);
  for (const key of ['one', 'two', 'three']) await write(store, key, key);
  await store.close();
  return readFile(file);
}

const blobs = async () => (await readdir(join(dir, 'blobs'), { recursive: true })).filter((n) => n.length > 3).length;

async function keysAfter(content: Buffer | null): Promise<{ keys: string[] | null; said: string[]; error?: string }> {
  if (content) await writeFile(file, content);
  else await rm(file);
  const said: string[] = [];
  try {
    const store = await ObjectStore.open(dir, (sentence) => said.push(sentence));
    const keys = [...(store.buckets.get('b')?.index.entries() ?? [])].map(([key]) => key);
    await store.close();
    return { keys, said };
  } catch (e) {
    return { keys: null, said, error: (e as Error).message };
  }
}

test.each([
  ['empty', Buffer.alloc(0), /objects\.ndjson is empty/],
  ['missing', null, /objects\.ndjson is missing/],
  ['cut inside its first line', Buffer.from('{"journal":"ver'), /first line/],
])('a journal that is %s is refused, and its objects stay', async (_, content, reason) => {
  await filled();
  const { keys, error } = await keysAfter(content);
  expect([keys, error]).toEqual([null, expect.stringMatching(reason)]);
  expect(error).toContain(dir);
  expect(await blobs()).toBe(3);
});

test('without any object an empty or missing journal is a new one', async () => {
  await writeFile(file, '');
  const store = await ObjectStore.open(dir);
  await store.createBucket('b', 0);
  await store.close();
  expect(await keysAfter(null)).toEqual({ keys: [], said: [] });
});

test('any byte flipped: refused, or, in the last line, kept aside', async () => {
  const whole = await filled();
  const lines = [...whole].flatMap((byte, at) => (byte === 10 ? at : []));
  const lastLine = lines.at(-2)!;
  for (let at = 0; at < whole.length; at += 7) {
    const content = Buffer.from(whole);
    content[at] = content[at]! ^ 0x04;
    const { keys, said, error } = await keysAfter(content);
    if (at === lastLine) continue; // the newline: two lines become one
    if (at < lastLine) expect([at, keys, error !== undefined]).toEqual([at, null, true]);
    else expect([at, keys, said.length]).toEqual([at, ['one', 'two'], 1]);
    if (keys) break; // what only the lost line named is removed at the next start
  }
});

test('zeros at the end are kept aside, and the bytes of what they named are not removed at once', async () => {
  const content = await filled();
  content.fill(0, content.length - 60);
  expect(await keysAfter(content)).toMatchObject({ keys: ['one', 'two'], said: [expect.stringContaining('.tail-')] });
  expect(await blobs()).toBe(3);
});

test('a journal of the version before is read, and written as the present one', async () => {
  const whole = await filled();
  const old = whole
    .toString()
    .split('\n')
    .slice(1)
    .map((line) => line.slice(17))
    .join('\n');
  expect(JSON.parse(old.split('\n')[0]!)).toMatchObject({ op: 'bucket' });
  expect(await keysAfter(Buffer.from(old))).toEqual({ keys: ['one', 'two', 'three'], said: [] });
  expect((await readFile(file)).toString()).toBe(whole.toString());
});
