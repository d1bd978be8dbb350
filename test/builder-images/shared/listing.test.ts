import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packFolder } from '../../../builder-images/shared/cache/archive.ts';
import { listTree, waitForClock } from '../../../builder-images/shared/cache/listing.ts';
import { createSandbox, type Sandbox } from '../../../builder-images/shared/sandbox.ts';

/** What a build command can do to an installed state between its listing and its packing, as the same user. */
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const ROOTS = ['source/node_modules', 'source/packages/a/node_modules', 'home/tool'];
const UID = 20_003;
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const modes: [string, Sandbox][] = [['without a user of its own', createSandbox({ maxProcesses: 100, cookie: 'x=y' })]];
if (isRoot) modes.push(['with a user of its own', createSandbox({ uid: UID, maxProcesses: 1_000, cookie: 'x=y' })]);

/** As `install` of an npm package leaves it: a package, a link to its program, a workspace's own modules, a tool in HOME. */
const INSTALL = `
mkdir -p node_modules/dep/lib node_modules/.bin packages/a/node_modules/b ../home/tool evil
echo good > node_modules/dep/index.js; echo good > node_modules/dep/lib/x.js; echo good > packages/a/node_modules/b/b.js
ln -s ../dep/index.js node_modules/.bin/dep; echo good > ../home/tool/t; echo evil > evil/index.js; cp -R node_modules/dep/lib evil/lib
`;

async function installed(sandbox: Sandbox, more = '') {
  const work = mkdtempSync(join(tmpdir(), 'veren-listing-'));
  folders.push(work);
  execFileSync('chmod', ['755', work]);
  for (const name of ['control', 'source', 'home']) mkdirSync(join(work, name));
  if (sandbox.uid !== undefined)
    for (const name of ['source', 'home']) chownSync(join(work, name), sandbox.uid, sandbox.uid);
  const run = async (script: string) => {
    const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' };
    const running = sandbox.start({ argv: ['/bin/sh', '-ec', script], cwd: join(work, 'source'), env });
    running.stdout.resume();
    running.stderr.resume();
    expect((await running.ended).exitCode).toBe(0);
  };
  await run(INSTALL + more);
  const listing = await listTree(work, ROOTS);
  expect(await waitForClock(work, listing)).toBe(true);
  const file = join(work, 'control/x.tar');
  const packed = () => packFolder(sandbox, work, listing, file, 1e8, new AbortController().signal);
  const names = () => execFileSync('tar', ['tf', file], { encoding: 'utf8' }).trim().split('\n');
  return { work, run, listing, packed, names, file };
}

const hasPython = (() => {
  try {
    execFileSync('python3', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe.each(modes)('%s', (_, sandbox) => {
  test.each<[string, string]>([
    ['a file that another was renamed over', 'cp node_modules/dep/index.js t; mv t node_modules/dep/index.js'],
    ['a file that was removed and made anew', 'rm node_modules/dep/index.js; echo good > node_modules/dep/index.js'],
    ['a file that is gone', 'rm packages/a/node_modules/b/b.js'],
    [
      'a file of the same size, with its times set back',
      'touch -r node_modules/dep/index.js t; echo evil > node_modules/dep/index.js; touch -r t node_modules/dep/index.js',
    ],
    [
      'a copy with the same times and rights in its place',
      'cp -p node_modules/dep/index.js t; rm node_modules/dep/index.js; mv t node_modules/dep/index.js',
    ],
    ['a hard link to a file of the repository', 'ln -f evil/index.js node_modules/dep/index.js'],
    ['a second name for an installed file, to write to later', 'ln node_modules/dep/index.js later'],
    ['another folder moved into its place', 'rm -rf node_modules/dep; mv evil node_modules/dep; touch node_modules/.x'],
    ['a folder below moved into its place', 'rm -rf node_modules/dep/lib; mv evil/lib node_modules/dep/lib'],
    ['the whole folder replaced by a copy', 'cp -Rp node_modules copy; rm -rf node_modules; mv copy node_modules'],
    ['the whole folder as a link to another', 'cp -Rp node_modules copy; rm -rf node_modules; ln -s copy node_modules'],
    ['a folder above it as a link to another', 'cp -Rp packages other; rm -rf packages; ln -s other packages'],
    ['a link that points elsewhere', 'ln -sfn ../../evil/index.js node_modules/.bin/dep'],
    ['a link in place of a file', 'ln -sf ../../evil/index.js node_modules/dep/index.js'],
    ['a pipe in place of a file', 'rm node_modules/dep/index.js; mkfifo node_modules/dep/index.js'],
    ['other rights of a file', 'chmod 777 node_modules/dep/index.js'],
    ['other rights of a folder', 'chmod 777 node_modules/dep'],
    ['a file in HOME that was written to', 'echo evil >> ../home/tool/t'],
    ...(hasPython
      ? ([
          [
            'a file that was written to through memory, with its times set back',
            `python3 -c "
import mmap, os
n = 'node_modules/dep/index.js'; s = os.stat(n)
f = open(n, 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:4] = b'evil'; m.flush(); m.close(); f.close()
os.utime(n, ns=(s.st_atime_ns, s.st_mtime_ns))"`,
          ],
        ] as [string, string][])
      : []),
  ])('gives the state up: %s', async (_name, attack) => {
    const { run, packed } = await installed(sandbox);
    await run(attack);
    await expect(packed()).rejects.toThrow(/was changed since/);
  });

  test.each<[string, string]>([
    [
      'files and folders that were added',
      'mkdir node_modules/.cache; echo evil > node_modules/dep/new.js; echo evil > node_modules/.cache/x; echo evil > ../home/new',
    ],
    ['a folder that was moved away and back', 'mv node_modules/dep t; mv t node_modules/dep'],
    ['files that were read', 'cat node_modules/dep/index.js > t'],
    ['a folder above that was renamed, with a link to it', 'mv packages moved; ln -s moved packages'],
  ])('keeps exactly what was installed: %s', async (_name, harmless) => {
    const { run, packed, names, listing, file } = await installed(sandbox);
    await run(harmless);
    await packed();
    expect(names().map((name) => name.replace(/\/$/, ''))).toEqual([...listing.paths]);
    expect(readFileSync(file, 'latin1')).not.toContain('evil');
  });

  test('gives the state up that is changed while it is packed', async () => {
    const { work, packed, run } = await installed(sandbox, 'head -c 60000000 /dev/zero > node_modules/zz');
    const packing = packed();
    const told = expect(packing).rejects.toThrow(/was changed since/);
    while (!existsSync(join(work, 'control/x.tar'))) await new Promise(setImmediate);
    await run('echo evil > node_modules/dep/index.js');
    await told;
  });

  test('takes names as they are', async () => {
    const { packed, names, listing } = await installed(
      sandbox,
      `cd node_modules; echo 1 > 'a\\145'; echo 2 > ae; echo 3 > ' -C'; echo 4 > '--checkpoint-action=exec=x'; echo 5 > 'b
c'`,
    );
    await packed();
    expect(names()).toHaveLength(listing.paths.length);
  });

  test('a name that is no UTF-8 is not left out in silence', async () => {
    await expect(installed(sandbox, `echo 1 > "node_modules/dep/$(printf 'a\\377')"`)).rejects.toThrow(
      /cannot be looked at/,
    );
  });

  test('no pipe is waited for, and no link followed out of the folder', async () => {
    await expect(installed(sandbox, 'mkfifo node_modules/p')).rejects.toThrow(/neither file, folder nor link/);
    const { listing } = await installed(sandbox, 'rm -rf packages; ln -s /etc node_modules/etc; ln -s / packages');
    expect(listing.roots).toEqual(['source/node_modules', 'home/tool']);
    expect(listing.paths.filter((path) => path.includes('etc/'))).toEqual([]);
  });
});

test('a clock that does not pass the last change is not trusted', async () => {
  const { work, listing } = await installed(modes[0]![1]);
  expect(await waitForClock(work, { ...listing, newest: listing.newest + 3_600_000_000_000n })).toBe(false);
  writeFileSync(join(work, 'control/clock'), '');
});
