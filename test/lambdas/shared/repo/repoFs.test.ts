import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RepoFs } from '../../../../contract/repo-fs.ts';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { withGitRepo } from '../../../../lambdas/shared/repo/gitRepo.ts';
import { folderFs } from '../../../support/folderFs.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';
import { git, makeRepo } from '../../../support/gitServer.ts';
import { memoryFs } from '../../../support/memoryFs.ts';

/** One suite for the port `RepoFs`; every adapter passes it. */

// Real git processes, on a machine that may be busy.

const FILES = {
  'package.json': '{"name":"x"}',
  'a/b/c.txt': 'c',
  'a/empty.txt': '',
  'a/ümläut and space.txt': 'ü',
  'latin1.txt': Buffer.from([0xe9, 0x41]),
  'big.txt': 'x'.repeat(10_000),
};

afterAll(removeFolders);

const adapters: Readonly<Record<string, (use: (fs: RepoFs) => Promise<void>) => Promise<void>>> = {
  memory: (use) => use(memoryFs({ ...FILES, link: { kind: 'symlink' } })),
  async folder(use) {
    const dir = temporaryFolder();
    makeRepo(dir, FILES);
    symlinkSync('/etc/passwd', join(dir, 'link'));
    await use(await folderFs(dir, LAPTOP_POLICY));
  },
  async git(use) {
    const dir = temporaryFolder();
    makeRepo(dir, FILES);
    symlinkSync('/etc/passwd', join(dir, 'link'));
    git(dir, ['add', 'link']);
    git(dir, ['commit', '-q', '-m', 'link']);
    await withGitRepo({ gitUrl: `file://${dir}`, policy: LAPTOP_POLICY }, ({ fs }) => use(fs));
  },
};

describe.each(Object.entries(adapters))('%s', (_name, withFs) => {
  test('lists folders by name, parents first', () =>
    withFs(async (fs) => {
      expect([...fs.directories()]).toEqual(['.', 'a', 'a/b']);
      expect(new Set(fs.list('.').keys())).toEqual(new Set(['package.json', 'a', 'latin1.txt', 'big.txt', 'link']));
      expect(fs.list('a').get('b')).toBe('directory');
      expect(fs.list('nowhere').size).toBe(0);
      expect(fs.notes).toEqual([]);
    }));

  test('tells kinds, and does not follow links', () =>
    withFs(async (fs) => {
      expect(['.', 'a', 'package.json', 'link', 'link/x', 'nope', 'a/nope'].map((p) => fs.kind(p))).toEqual([
        'directory',
        'directory',
        'file',
        'symlink',
        undefined,
        undefined,
        undefined,
      ]);
    }));

  test('reads many files at once, and only files', () =>
    withFs(async (fs) => {
      const paths = ['package.json', 'a/b/c.txt', 'a/empty.txt', 'a/ümläut and space.txt', 'a', 'link', 'nope'];
      const contents = await fs.read(paths, 5_000);
      expect(Object.fromEntries(contents)).toEqual({
        'package.json': { kind: 'text', text: '{"name":"x"}' },
        'a/b/c.txt': { kind: 'text', text: 'c' },
        'a/empty.txt': { kind: 'text', text: '' },
        'a/ümläut and space.txt': { kind: 'text', text: 'ü' },
      });
    }));

  test('gives the head of a file over the limit, and U+FFFD for what is not UTF-8', () =>
    withFs(async (fs) => {
      const contents = await fs.read(['big.txt', 'latin1.txt'], 5_000);
      expect(contents.get('big.txt')).toEqual({ kind: 'too-large', bytes: 10_000, head: 'x'.repeat(4_096) });
      expect(contents.get('latin1.txt')).toEqual({ kind: 'text', text: '\ufffdA' });
    }));

  test('reads again', () =>
    withFs(async (fs) => {
      await fs.read(['package.json'], 5_000);
      expect((await fs.read(['package.json', 'a/b/c.txt'], 5_000)).size).toBe(2);
    }));
});
