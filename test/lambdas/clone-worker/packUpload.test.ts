import { createHash } from 'node:crypto';
import type { UploadFile } from '../../../contract/uploads.ts';
import { PACK_MS, uploadPacks } from '../../../lambdas/clone-worker/packUpload.ts';
import { LEASE_MS } from '../../../lambdas/clone-worker/workers/clone.ts';
import { LAPTOP_POLICY, PUBLIC_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';

const fileOf = (path: string, content: string, mode: UploadFile['mode'] = '100644') => ({
  content,
  file: { path, mode, size: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') },
});
type Given = ReturnType<typeof fileOf>;

/** A storage that gives `stored` where it is asked for a file, and keeps the pack. */
function storageOf(
  files: readonly Given[],
  stored = (given: Given): string | null | Promise<string> => given.content,
  timeoutMs?: number,
) {
  const asked: string[] = [];
  const packs: { commit: string; bytes: number }[] = [];
  const send = async ({
    constructor: { name },
    input,
  }: {
    constructor: { name: string };
    input: Record<string, unknown>;
  }) => {
    const key = String(input.Key);
    const absent = Object.assign(new Error(key), { name: 'NoSuchKey' });
    if (name === 'HeadObjectCommand') throw absent;
    if (name === 'PutObjectCommand') {
      let bytes = 0;
      for await (const chunk of input.Body as AsyncIterable<Buffer>) bytes += chunk.length;
      packs.push({ commit: (input.Metadata as { commit: string }).commit, bytes });
      return {};
    }
    if (key.includes('/manifests/')) {
      const text = JSON.stringify({ v: 1, files: files.map(({ file }) => file) });
      return { Body: { transformToString: async () => text } };
    }
    const given = files.find(({ file }) => key.endsWith(`/files/${file.sha256}`));
    asked.push(key);
    const content = given ? await stored(given) : null;
    if (content === null) throw absent;
    return { Body: { transformToByteArray: async () => Buffer.from(content) } };
  };
  const open = uploadPacks({
    s3: { send: send as never },
    bucket: 'bucket',
    clock: { now: Date.now },
    urlSigner: async () => 'http://storage.example/pack',
    gitPolicy: LAPTOP_POLICY,
    timeoutMs,
  });
  return { packs, asked, open: () => open('site', 'a'.repeat(64)) };
}

test('equal folders have equal commits, whatever is in them', async () => {
  const files = [
    fileOf('a "quoted" \u00e9.txt', 'one'),
    fileOf('deep/er/empty', ''),
    fileOf('deep/link', '../a', '120000'),
    fileOf('tool', 'data 5\nblob\n', '100755'),
  ];
  const [one, two] = [storageOf(files), storageOf(files)];
  const { commit } = await one.open();
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect((await two.open()).commit).toBe(commit);
  expect(one.packs).toEqual([{ commit, bytes: expect.any(Number) }]);
});

test('what is stored is checked again: neither another content nor a lost one is built', async () => {
  const files = [fileOf('a', 'announced')];
  await expect(storageOf(files, () => 'something else').open()).rejects.toMatchObject({ code: 'UPLOAD_DAMAGED' });
  await expect(storageOf(files, () => null).open()).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
});

test.each(['/etc/passwd', '../x', 'a/../../x', '', 'a\nb', 'c:\\x'])('a link to %j is refused', async (target) => {
  const storage = storageOf([fileOf('link', target, '120000')]);
  await expect(storage.open()).rejects.toMatchObject({ code: 'UPLOAD_INVALID' });
  expect(storage.packs).toEqual([]);
});

test('a size that is not that of the content is refused, whichever path tells it', async () => {
  const large = fileOf('large', 'x'.repeat(1_000));
  const empty = { ...large, file: { ...large.file, path: 'again', size: 0 } };
  for (const files of [[empty], [large, empty], [empty, large]]) {
    const storage = storageOf(files);
    await expect(storage.open()).rejects.toMatchObject({ code: 'UPLOAD_DAMAGED' });
    expect(storage.packs).toEqual([]);
  }
});

test('every content is read once, also one that many links and a file have', async () => {
  const paths = Array.from({ length: 300 }, (_, i) => fileOf(`link${i}`, 'target', '120000'));
  const storage = storageOf([...paths, fileOf('target', 'target')]);
  await storage.open();
  expect(storage.asked).toHaveLength(1);
  // Each path is checked for itself: the same content leaves the folder from one place, and not from another.
  const leaving = storageOf([fileOf('deep/link', '../target', '120000'), fileOf('link', '../target', '120000')]);
  await expect(leaving.open()).rejects.toMatchObject({ code: 'UPLOAD_INVALID' });
  const endless = storageOf([fileOf('link', 'a'.repeat(4_097), '120000')]);
  await expect(endless.open()).rejects.toMatchObject({ code: 'UPLOAD_INVALID' });
  expect(endless.asked).toEqual([]);
});

test('a storage that answers too slowly ends the packing before the lease does', async () => {
  const storage = storageOf([fileOf('a', 'one')], () => new Promise<string>(() => undefined), 300);
  await expect(storage.open()).rejects.toMatchObject({ code: 'UPLOAD_TIMEOUT', row: { fault: 'transient' } });
  expect(storage.packs).toEqual([]);
  expect(PACK_MS + PUBLIC_POLICY.timeoutMs).toBeLessThan(LEASE_MS);
});
