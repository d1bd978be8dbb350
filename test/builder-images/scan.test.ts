import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { HashThreads } from '../../builder-images/builder-image-frontend/utils/hash-threads.ts';
import { readOutput } from '../../builder-images/builder-image-frontend/utils/read.ts';
import { inspectOutput } from '../../builder-images/builder-image-frontend/utils/scan/inspect.ts';
import { scanFiles } from '../../builder-images/builder-image-frontend/utils/scan/scan.ts';
import { MAX_INFLATED } from '../../builder-images/builder-image-frontend/utils/scan/text.ts';
import type { OutputFile } from '../../builder-images/builder-image-frontend/utils/walk.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

afterAll(removeFolders);

/** In halves, so that no scanner takes this file for a leak. */
const TOKEN = `ghp_${'a8Kd0sLq3ZxW7vBn2mTy6RfC1hGj9UpE4oIt'}`;
const never = new AbortController().signal;

function fileOf(name: string, content: string | Buffer): OutputFile {
  const source = join(temporaryFolder(), name);
  writeFileSync(source, content);
  return { path: name, source, size: statSync(source).size };
}
const kinds = async (file: OutputFile, signal = never) =>
  (await scanFiles([file], signal)).finds.map(({ find }) => find.kind.id);
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const long = 'function a(b,c){return b+c};'.repeat(100_000);

test.each<[string, string, string | Buffer]>([
  ['a text', 'a.txt', `x\n${TOKEN}\n`],
  ['without a name that says so', 'LICENSE', TOKEN],
  ['a bundle that is one line', 'app.js', `${long}t="${TOKEN}";${long}`],
  ['the end of a bundle', 'app.js', `${long}t="${TOKEN}`],
  ['a source map', 'app.js.map', JSON.stringify({ version: 3, sourcesContent: [`const t = "${TOKEN}"\n`] })],
  ['UTF-16 with a mark', 'a.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`k ${TOKEN}`, 'utf16le')])],
  ['UTF-16, big end first', 'a.txt', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16be(`k ${TOKEN}`)])],
  ['UTF-16 without a mark', 'a.reg', Buffer.from(`some text before ${TOKEN}`, 'utf16le')],
  ['UTF-16 in many parts', 'a.txt', Buffer.from(`\ufeff${long}x ${TOKEN}`, 'utf16le')],
  ['UTF-8 with a mark', 'a.txt', `\ufeff${TOKEN}`],
  ['another encoding', 'a.html', Buffer.concat([Buffer.from([0xe9, 0xe8, 0xff]), Buffer.from(TOKEN)])],
  [
    'a binary file',
    'a.wasm',
    Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), Buffer.alloc(9_000), Buffer.from(`\0${TOKEN}\0`)]),
  ],
  ['a script that begins like a film', 'a.js', `var ftyp="${TOKEN}"`],
  ['a text that begins like an archive', 'a.md', `BZhang: ${TOKEN}`],
  ['gzip', 'a.js.gz', gzipSync(`${long} ${TOKEN}`)],
  ['gzip of another name', 'data.bin', gzipSync(TOKEN)],
  ['Brotli', 'a.js.br', brotliCompressSync(`${long} ${TOKEN}`)],
  ['a name in capitals', 'A.JS.BR', brotliCompressSync(TOKEN)],
])('a secret is found in %s', async (_, name, content) => {
  expect(await kinds(fileOf(name, content))).toEqual(['github-token']);
});

test('pictures, films, fonts and archives are not searched; their checksums are taken', async () => {
  for (const mark of ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff\xe0', '\0\0\0\x20ftypisom', 'wOF2\0\x01\0\0', 'PK\x03\x04']) {
    const file = fileOf('a.bin', Buffer.concat([Buffer.from(mark, 'latin1'), Buffer.from(TOKEN)]));
    const { files, finds } = await scanFiles([file], never);
    expect([files[0]!.sha256?.length, finds]).toEqual([64, []]);
  }
});

test('a compressed file that is damaged, or becomes too large, is named', async () => {
  const damaged = fileOf('a.gz', gzipSync(TOKEN.repeat(50)).subarray(0, 40));
  const bomb = fileOf('b.gz', gzipSync(Buffer.alloc(4 * MAX_INFLATED)));
  const noBrotli = fileOf('c.br', 'this is a text');
  const before = process.memoryUsage().rss;
  const { unread, files } = await scanFiles([damaged, bomb, noBrotli, fileOf('d.gz', gzipSync('fine'))], never);
  expect(unread).toEqual(['a.gz', 'b.gz', 'c.br']);
  expect(files.every(({ sha256 }) => sha256?.length === 64)).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(192 * 1_024 * 1_024);
});

test('what is published are the bytes that were scanned', async () => {
  const hashing = new HashThreads();
  try {
    for (const size of [100, 1_000_000, 9_000_000]) {
      const file = fileOf('a.js', 'a'.repeat(size));
      const [scanned] = (await scanFiles([file], never)).files;
      expect((await readOutput(scanned!, hashing)).sha256).toBe(scanned!.sha256);
      writeFileSync(file.source, 'b'.repeat(size));
      await expect(readOutput(scanned!, hashing)).rejects.toMatchObject({ code: 'OUTPUT_REJECTED' });
    }
  } finally {
    await hashing.close();
  }
});

test('no link is followed, and what has another size than before is refused', async () => {
  const file = fileOf('a.js', 'text');
  const secret = fileOf('secret', TOKEN);
  rmSync(file.source);
  symlinkSync(secret.source, file.source);
  await expect(scanFiles([file], never)).rejects.toThrow(/ELOOP/);
  const grown = fileOf('b.js', 'text');
  writeFileSync(grown.source, 'more text');
  await expect(scanFiles([grown], never)).rejects.toMatchObject({ code: 'OUTPUT_REJECTED' });
  await expect(scanFiles([{ ...secret, source: join(secret.source, '..') }], never)).rejects.toThrow();
});

test('a scan ends with the build, and lets others have a turn', async () => {
  const file = fileOf('a.js', long);
  await expect(scanFiles([file], AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  const files = Array.from({ length: 200 }, () => file);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped later')), 50);
  await expect(scanFiles(files, stop.signal)).rejects.toThrow('stopped later');
});

describe('what a scan makes of its finds', () => {
  const inspect = async (files: OutputFile[], allowed: string[] = []) => {
    const said: string[] = [];
    const result = await inspectOutput({ files, allowed, say: (text) => said.push(text), signal: never }).catch(
      (e) => e,
    );
    expect(JSON.stringify([said, result.message, result.warnings])).not.toContain(TOKEN.slice(8));
    return { said: said.join('\n'), result };
  };

  test('a secret fails the build with its file, line and kind', async () => {
    const { result, said } = await inspect([fileOf('ok.js', ''), fileOf('a.js', `\n\nx ${TOKEN}`)]);
    expect(result.code).toBe('SECRETS_IN_OUTPUT');
    expect(result.message).toMatch(
      /nothing of it was published: github-token in a\.js \(line 3\)\. Remove them from the output/,
    );
    expect(said).toContain('Secret: github-token in a.js (line 3), a token of GitHub');
    expect(said).toMatch(/^Scanned 2 files \(\d+ bytes\) for secrets in \d+\.\d\d s, \d+\.\d\d s per 1,000 files$/m);
  });

  test('many secrets make a short sentence', async () => {
    const { result } = await inspect([fileOf('a.js', Array.from({ length: 500 }, () => TOKEN).join('\n'))]);
    expect(result.message).toMatch(/\(line 5\) and 45 more\./);
  });

  test.each([['github-token'], ['a.js'], ['./a.js'], ['/a.js']])('allowed by "%s"', async (allowed) => {
    const { result, said } = await inspect([fileOf('a.js', TOKEN)], [allowed]);
    expect(result.warnings).toEqual([]);
    expect(said).toContain('Allowed by "allowSecrets": github-token in a.js (line 1)');
  });

  test.each([['gitlab-token'], ['a'], ['a.js/'], ['*'], [''], ['.js']])('not allowed by "%s"', async (allowed) => {
    expect((await inspect([fileOf('a.js', TOKEN)], [allowed])).result.code).toBe('SECRETS_IN_OUTPUT');
  });

  test('what is less certain is a warning', async () => {
    const { result } = await inspect([fileOf('c.json', '{"db":"postgres://app:hR5t9Kp2@db.internal/app"}')]);
    expect(result.warnings).toEqual([expect.stringMatching(/may be secrets: database-url in c\.json \(line 1\)\./)]);
  });
});
