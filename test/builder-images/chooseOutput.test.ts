import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chooseOutput } from '../../builder-images/builder-image-frontend/utils/choose-output.ts';
import { markTime } from '../../builder-images/builder-image-frontend/utils/find-output.ts';

let work: string;
let folder: string;
let since: bigint;
beforeEach(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), 'choose-output-')));
  folder = join(work, 'source/site');
  for (const name of ['control', 'source/site']) mkdirSync(join(work, name), { recursive: true });
  since = markTime(work) - 1n; // the clock of a file system may stand still for some milliseconds
});
afterEach(() => rmSync(work, { recursive: true }));

const write = (...names: string[]) => {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), 'x');
  }
};
const choose = async (planned: string, isNamed = false, built = true) => {
  const { signal } = new AbortController();
  const source = join(work, 'source');
  const since_ = built ? since : undefined;
  return chooseOutput({ planned, isNamed, source, folder, since: since_, ownerUid: undefined, signal });
};

test('a planned folder with a page stays, and so does everything where nothing was built', async () => {
  write('dist/index.html', 'www/index.html');
  expect(await choose('dist')).toEqual({ path: 'dist', warnings: [] });
  expect(await choose('nowhere', false, false)).toEqual({ path: 'nowhere', warnings: [] });
  expect(await choose('', false, false)).toEqual({ path: '.', warnings: [] });
});

test('what tools make for browsers below a planned folder is taken, one of several languages is not', async () => {
  write('dist/main.js', 'dist/browser/index.html');
  expect((await choose('./dist/')).path).toBe('dist/browser');
  write('out/en/index.html', 'out/de/index.html', 'out/404.html');
  rmSync(join(folder, 'dist'), { recursive: true });
  expect(await choose('out')).toEqual({ path: 'out', warnings: [] });
});

test('several folders that could be meant are named', async () => {
  write('dist/index.html', 'dist/en/index.html', 'www/index.html');
  const { path, warnings } = await choose('');
  expect(path).toBe('dist');
  expect(warnings[0]).toContain('So does "www".');
});

test('a page in the package’s own folder publishes no sources', async () => {
  write('index.html');
  await expect(choose('')).rejects.toMatchObject({
    code: 'OUTPUT_NOT_FOUND',
    message: expect.stringContaining('it wrote index.html into the package’s own folder') as string,
  });
});

test('a package folder that became a link leads nowhere, and a planned link out of the repository is left to be refused', async () => {
  mkdirSync(join(work, 'outside/dist'), { recursive: true });
  writeFileSync(join(work, 'outside/dist/index.html'), 'secret');
  symlinkSync(join(work, 'outside/dist'), join(folder, 'public'));
  expect(await choose('public')).toEqual({ path: 'public', warnings: [] });
  renameSync(folder, join(work, 'source/moved'));
  symlinkSync(join(work, 'outside'), folder);
  await expect(choose('')).rejects.toMatchObject({ code: 'OUTPUT_NOT_FOUND' });
});
