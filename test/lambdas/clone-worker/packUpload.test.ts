import { createHash } from 'node:crypto';
import type { UploadFile } from '../../../contract/uploads.ts';
import { uploadPacks } from '../../../lambdas/clone-worker/packUpload.ts';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';

const fileOf = (path: string, content: string, mode: UploadFile['mode'] = '100644') => ({
  content,
  file: { path, mode, size: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') },
});
type Given = ReturnType<typeof fileOf>;

/** A storage that gives `stored` where it is asked for a file, and keeps the pack. */
function storageOf(files: readonly Given[], stored = (given: Given): string | null => given.content) {
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
    const content = given ? stored(given) : null;
    if (content === null) throw absent;
    return { Body: { transformToByteArray: async () => Buffer.from(content) } };
  };
  const open = uploadPacks({
    s3: { send: send as never },
    bucket: 'bucket',
    clock: { now: Date.now },
    urlSigner: async () => 'http://storage.example/pack',
    gitPolicy: LAPTOP_POLICY,
  });
  return { packs, open: () => open('site', 'a'.repeat(64)) };
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
