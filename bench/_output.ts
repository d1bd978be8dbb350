import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SMALL = 5_000;
const SMALL_BYTES = 3 * 1_024;
const LARGE = 20;
const LARGE_BYTES = 12 * 1_024 * 1_024;

/** An output of many small and some large files. */
export async function makeOutput(output: string): Promise<void> {
  await mkdir(join(output, 'pages'), { recursive: true });
  await mkdir(join(output, 'media'));
  for (let i = 0; i < SMALL; i++) {
    const body = `<!doctype html><title>${i}</title>${randomBytes(SMALL_BYTES / 2).toString('hex')}`;
    await writeFile(join(output, 'pages', `${i}.html`), body);
  }
  for (let i = 0; i < LARGE; i++) await writeFile(join(output, 'media', `${i}.mp4`), randomBytes(LARGE_BYTES));
}
