import type { RepoFs } from '../../../../contract/repo-fs.ts';
import { type GitPolicy, LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { withGitRepo } from '../../../../lambdas/shared/repo/gitRepo.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';
import { git, makeRepo } from '../../../support/gitServer.ts';

// Real git processes, on a machine that may be busy.

afterAll(removeFolders);

/** Writes tree objects without git's checks, as a hostile server can. */
function repoWith(make: (helpers: { blob: string; tree: (entries: readonly Entry[]) => string }) => string): string {
  const { path } = makeRepo(temporaryFolder(), { 'package.json': '{}' });
  const blob = git(path, ['rev-parse', 'HEAD:package.json']);
  const tree = (entries: readonly Entry[]) =>
    git(
      path,
      ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'],
      Buffer.concat(
        entries.flatMap(([mode, name, oid]) => [
          Buffer.from(`${mode} `),
          Buffer.from(name),
          Buffer.from([0]),
          Buffer.from(oid, 'hex'),
        ]),
      ),
    );
  const commit = git(path, ['commit-tree', '-m', 'hostile', make({ blob, tree })]);
  git(path, ['update-ref', 'refs/heads/main', commit]);
  return `file://${path}`;
}
type Entry = readonly [mode: string, name: string | Buffer, oid: string];

const open = <T>(gitUrl: string, use: (fs: RepoFs) => Promise<T>, limits: Partial<GitPolicy> = {}): Promise<T> =>
  withGitRepo({ gitUrl, policy: { ...LAPTOP_POLICY, ...limits } }, ({ fs }) => use(fs));

test('names that are no part of a path are left out, with a note; the rest is read', async () => {
  const url = repoWith(({ blob, tree }) =>
    tree([
      ['100644', '-rf', blob],
      ['100644', '..', blob],
      ['100644', '.', blob],
      ['100644', 'a/b', blob],
      ['100644', 'back\\slash', blob],
      ['100644', Buffer.from([0xff, 0xfe]), blob],
      ['100644', 'new\nline', blob],
      ['100644', 'package.json', blob],
    ]),
  );
  await open(url, async (fs) => {
    expect([...fs.list('.').keys()]).toEqual(['package.json']);
    expect(fs.notes).toEqual([expect.stringMatching(/^7 entries have names that cannot be used/)]);
    expect(await fs.read(['package.json'], 100)).toEqual(new Map([['package.json', { kind: 'text', text: '{}' }]]));
  });
});

test('submodules and links are named as such', async () => {
  const url = repoWith(({ blob, tree }) =>
    tree([
      ['120000', 'link', blob],
      ['160000', 'sub', blob],
    ]),
  );
  await open(url, async (fs) => {
    expect(fs.list('.')).toEqual(
      new Map([
        ['link', 'symlink'],
        ['sub', 'submodule'],
      ]),
    );
  });
});

test('ten levels of ten equal folders: ten thousand million paths in eleven objects', async () => {
  const url = repoWith(({ blob, tree }) => {
    let oid = tree([['100644', 'f', blob]]);
    for (let level = 0; level < 10; level++)
      oid = tree(Array.from({ length: 10 }, (_, i) => ['40000', `d${i}`, oid] as const));
    return oid;
  });
  const started = performance.now();
  await open(url, async (fs) => expect(fs.notes).toEqual([expect.stringMatching(/more files or deeper folders/)]));
  expect(performance.now() - started).toBeLessThan(25_000);
});

test('a hundred thousand folders, side by side', async () => {
  const url = repoWith(({ blob, tree }) => {
    const inner = tree([['100644', 'index.js', blob]]);
    return tree(Array.from({ length: 100_000 }, (_, i) => ['40000', `d${String(i).padStart(6, '0')}`, inner] as const));
  });
  const started = performance.now();
  await open(url, async (fs) => expect([...fs.directories()]).toHaveLength(100_001));
  expect(performance.now() - started).toBeLessThan(25_000);
});

test('sixty folders, one in the other', async () => {
  const url = repoWith(({ blob, tree }) => {
    let oid = tree([['100644', 'f', blob]]);
    for (let level = 0; level < 60; level++) oid = tree([['40000', 'd', oid]]);
    return oid;
  });
  await open(url, async (fs) => {
    expect([...fs.directories()].length).toBeLessThanOrEqual(LAPTOP_POLICY.maxDepth + 1);
    expect(fs.notes).toHaveLength(1);
  });
});

test('a package.json of 200 MB that packs small is not held in memory', async () => {
  const { path } = makeRepo(temporaryFolder(), { 'package.json': Buffer.alloc(200 * 1024 * 1024, ' ') });
  const before = process.memoryUsage().rss;
  await open(`file://${path}`, async (fs) => {
    const content = (await fs.read(['package.json'], 1024 * 1024)).get('package.json');
    expect(content).toMatchObject({ kind: 'too-large', bytes: 200 * 1024 * 1024 });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});

test('what is larger than the limit is stopped while it arrives', async () => {
  const { randomBytes } = await import('node:crypto');
  const { path } = makeRepo(temporaryFolder(), { 'package.json': randomBytes(8 * 1024 * 1024) });
  await expect(
    open(`file://${path}`, (fs) => fs.read(['package.json'], 1024), { maxBytes: 1024 * 1024 }),
  ).rejects.toMatchObject({ code: 'REPO_TOO_LARGE' });
});
