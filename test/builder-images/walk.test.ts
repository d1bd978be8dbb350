import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type WalkOptions, walkOutput } from '../../builder-images/builder-image-frontend/utils/walk.ts';
import { removeFolders, temporaryFolder } from '../support/folders.ts';
import { writeFiles } from './harness.ts';

/** Outputs that are small on disk and without end for whoever walks them. */
afterAll(removeFolders);

const walk = (root: string, signal: AbortSignal, over: { readonly holds?: WalkOptions['holds'] } = {}) =>
  walkOutput({
    root,
    name: 'out',
    inside: root,
    holds: 'output',
    maxFiles: 100,
    maxBytes: 1e6,
    ownerUid: undefined,
    signal,
    ...over,
  });
const soon = () => AbortSignal.timeout(5_000);

/** Two links in each folder to the next: 2^40 ways to the last one, which is empty. */
function doubling(root: string): void {
  for (let i = 0; i <= 40; i++) mkdirSync(join(root, `d${i}`));
  for (let i = 0; i < 40; i++) for (const name of ['a', 'b']) symlinkSync(`../d${i + 1}`, join(root, `d${i}`, name));
}

test('links that double at every level, and no file at the end', async () => {
  const root = temporaryFolder();
  doubling(root);
  await expect(walk(root, soon())).rejects.toMatchObject({ code: 'OUTPUT_TOO_LARGE' });
});

test('more names that are left out than a site can have', async () => {
  const root = temporaryFolder();
  writeFiles(root, Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`.${i}`, ''])));
  await expect(walk(root, soon(), { holds: 'folder' })).rejects.toMatchObject({ code: 'OUTPUT_TOO_LARGE' });
});

test('a walk ends with the build', async () => {
  const root = temporaryFolder();
  writeFiles(root, { 'index.html': '' });
  await expect(walk(root, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
});
