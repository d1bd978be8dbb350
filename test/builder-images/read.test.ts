import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HashThreads } from '../../builder-images/builder-image-frontend/utils/hash-threads.ts';
import { IN_MEMORY, readOutput } from '../../builder-images/builder-image-frontend/utils/read.ts';

/** Files of the output, of every size that is read in its own way. */
const dir = mkdtempSync(join(tmpdir(), 'veren-read-'));
const hashing = new HashThreads();
afterAll(async () => {
  await hashing.close();
  rmSync(dir, { recursive: true, force: true });
});

function file(name: string, size: number) {
  const content = randomBytes(size);
  writeFileSync(join(dir, name), content);
  return {
    output: { path: name, source: join(dir, name), size },
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}

test('small, middle and large ones, many at once: each with its own checksum', async () => {
  const sizes = [0, 1, 128 * 1_024, 128 * 1_024 + 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + 7];
  const files = sizes.map((size, i) => file(`f${i}`, size));
  const read = await Promise.all(files.map(({ output }) => readOutput(output, hashing)));
  expect(read.map((r) => r.sha256)).toEqual(files.map((f) => f.sha256));
  expect(read.map((r) => r.size)).toEqual(sizes);
  expect(read.map((r) => r.body?.length)).toEqual([...sizes.slice(0, 5), undefined, undefined]);
});

test('one that is not what the walk saw is refused: another size, a link', async () => {
  const large = file('shrunk', IN_MEMORY + 5);
  truncateSync(large.output.source, IN_MEMORY + 4);
  await expect(readOutput(large.output, hashing)).rejects.toMatchObject({ code: 'OUTPUT_REJECTED' });
  symlinkSync('/etc/passwd', join(dir, 'link'));
  await expect(readOutput({ path: 'link', source: join(dir, 'link'), size: 1 }, hashing)).rejects.toThrow(/ELOOP/);
});

test('what cannot be read is an error, and the next one is read all the same', async () => {
  await expect(hashing.sha256(9_999)).rejects.toThrow(/EBADF/);
  const next = file('next', 10);
  await expect(readOutput(next.output, hashing)).resolves.toMatchObject({ sha256: next.sha256 });
});
