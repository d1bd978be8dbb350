import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOutputs, markTime } from '../../builder-images/builder-image-frontend/utils/find-output.ts';

let work: string;
let folder: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'find-output-'));
  folder = join(work, 'source');
  mkdirSync(join(work, 'control'));
  mkdirSync(folder);
});
afterEach(() => rmSync(work, { recursive: true }));

const write = (...names: string[]) => {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), 'x');
  }
};
const find = async (since: bigint, ownerUid?: number) =>
  (await findOutputs({ folder, since, ownerUid, signal: new AbortController().signal })).map(({ path }) => path);
const mark = async () => {
  const since = markTime(work);
  await sleep(20);
  return since;
};

test('only what was written since, the usual names first, then what lies higher', async () => {
  write('old/index.html', 'src/index.html', 'site/index.html');
  const since = await mark();
  write('zeta/index.html', 'a/b/index.html', 'public/index.html', 'dist/index.html', 'src/style.css', 'index.html');
  write('docs/.vitepress/dist/index.html', '.output/public/index.html', '.output/server/index.html', 'site/main.js');
  expect(await find(since)).toEqual([
    'dist',
    'public',
    'docs/.vitepress/dist',
    '.output/public',
    'zeta',
    'a/b',
    // The page was there before, and the build wrote beside it.
    'site',
  ]);
});

test('dependencies, hidden folders, reports, other packages and what lies deep are none', async () => {
  const since = await mark();
  write('node_modules/x/index.html', '.next/index.html', 'coverage/index.html', 'playwright-report/index.html');
  write('packages/a/package.json', 'packages/a/dist/index.html', 'a/b/c/d/e/f/index.html');
  expect(await find(since)).toEqual([]);
});

test('a link is not followed and no page; times that were set back do not hide a page, nor does the future make one', async () => {
  mkdirSync(join(work, 'outside'));
  writeFileSync(join(work, 'outside/index.html'), 'secret');
  write('old/index.html');
  utimesSync(join(folder, 'old/index.html'), new Date(4e12), new Date(4e12));
  const since = await mark();
  symlinkSync(join(work, 'outside'), join(folder, 'dist'));
  mkdirSync(join(folder, 'build'));
  symlinkSync(join(work, 'outside/index.html'), join(folder, 'build/index.html'));
  write('back/index.html');
  utimesSync(join(folder, 'back/index.html'), new Date(0), new Date(0));
  expect(await find(since)).toEqual(['back']);
});

test('a page of another owner, such as a hard link to a file of the system, is none', async () => {
  const since = await mark();
  writeFileSync(join(work, 'secret'), 'x');
  mkdirSync(join(folder, 'dist'));
  linkSync(join(work, 'secret'), join(folder, 'dist/index.html'));
  expect(await find(since, 4_242)).toEqual([]);
  expect(await find(since, process.getuid?.())).toEqual(['dist']);
});

test('names that are no text are passed over', async () => {
  const since = await mark();
  write('a\nb/index.html', 'dist/index.html');
  expect(await find(since)).toEqual(['dist']);
});
