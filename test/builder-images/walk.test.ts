import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSourceFolder } from '../../builder-images/builder-image-frontend/utils/own-folder.ts';
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

/** What is listed and what is left out. */
async function listed(root: string, holds: WalkOptions['holds']) {
  const skipped: string[] = [];
  const options = { root, name: 'out', inside: root, holds, maxFiles: 1_000, maxBytes: 1e6, ownerUid: undefined };
  const files = await walkOutput({ ...options, signal: soon(), onSkipped: (path) => skipped.push(path) });
  return { files: files.map(({ path }) => path), skipped: skipped.sort() };
}
const tree = (paths: readonly string[]) => {
  const root = temporaryFolder();
  writeFiles(root, Object.fromEntries(paths.map((path) => [path, path])));
  return root;
};

test('of a package’s own folder: no dot files but .well-known, no dependencies, no manifests or lockfiles', async () => {
  const pages = ['index.html', '.well-known/a.txt', 'sub/page.html', 'data/packages.json', 'manifest.json', 'go.html'];
  const kept = [
    ...['.vscode/a', 'sub/.secret', 'node_modules/x/a.js', 'sub/node_modules/x/a.js', 'a/__pycache__/x.pyc'],
    ...[
      'package.json',
      'package-lock.json',
      'npm-shrinkwrap.json',
      'yarn.lock',
      'pnpm-lock.yaml',
      'bun.lock',
      'bun.lockb',
    ],
    ...['sub/package.json', 'deno.json', 'deno.lock', 'composer.json', 'composer.lock', 'Gemfile', 'Gemfile.lock'],
    ...['pyproject.toml', 'poetry.lock', 'uv.lock', 'Pipfile.lock', 'requirements-dev.txt', 'Cargo.toml', 'Cargo.lock'],
    ...[
      'go.mod',
      'go.sum',
      'mix.lock',
      'pubspec.lock',
      'Podfile.lock',
      'pom.xml',
      'build.gradle.kts',
      'x.csproj',
      'PACKAGE.JSON',
    ],
  ];
  const { files, skipped } = await listed(tree([...pages, ...kept]), 'package');
  expect(files).toEqual([...pages].sort());
  for (const path of kept) expect(skipped.some((left) => path === left || path.startsWith(`${left}/`))).toBe(true);
});

test('a link to what is left out is left out; one to what is never published is refused', async () => {
  const root = tree(['index.html', '.secrets.yml', 'node_modules/x/dist/a.js', 'lib/.hidden/b.js']);
  symlinkSync('.secrets.yml', join(root, 'public.txt'));
  symlinkSync('node_modules/x/dist', join(root, 'vendor'));
  symlinkSync('lib/.hidden', join(root, 'shown'));
  const { files, skipped } = await listed(root, 'package');
  expect(files).toEqual(['index.html']);
  expect(skipped).toEqual(['.secrets.yml', 'lib/.hidden', 'node_modules', 'public.txt', 'shown', 'vendor']);
  writeFiles(root, { '.env': 'S=1' });
  symlinkSync('.env', join(root, 'env.txt'));
  await expect(listed(root, 'output')).rejects.toMatchObject({ code: 'OUTPUT_REJECTED' });
});

test('of what a build wrote: everything but what is never published, and packages beside a manifest', async () => {
  const root = tree([
    ...[
      'index.html',
      '.vocs/search.json',
      'assets/node_modules/fonts/a.ttf',
      'package.lock.html',
      'id_rsa.pub',
      'my.env',
    ],
    ...['.env', '.env.local', '.ENV', 'a/.git/config', '.npmrc', 'b/id_rsa', 'prod.tfvars', '.ssh/config', 'x.tfstate'],
    ...['.env~', '.env-production', '.env_old', '.dev.vars~', '.psql_history', '.sentryclirc', '.environment/a.html'],
    ...['copy/package.json', 'copy/node_modules/x/a.js'],
  ]);
  const { files, skipped } = await listed(root, 'output');
  expect(files).toEqual([
    '.environment/a.html',
    '.vocs/search.json',
    'assets/node_modules/fonts/a.ttf',
    'copy/package.json',
    'id_rsa.pub',
    'index.html',
    'my.env',
    'package.lock.html',
  ]);
  expect(skipped).toEqual([
    '.ENV',
    '.dev.vars~',
    '.env',
    '.env-production',
    '.env.local',
    '.env_old',
    '.env~',
    '.npmrc',
    '.psql_history',
    '.sentryclirc',
    '.ssh',
    'a/.git',
    'b/id_rsa',
    'copy/node_modules',
    'prod.tfvars',
    'x.tfstate',
  ]);
});

describe('a folder with sources', () => {
  const isSource = (source: string, path: string, packages: string[]) =>
    isSourceFolder(join(source, path), { source, packages });

  test('is the repository, a package, what holds one, or the copy of one, however it is spelled', async () => {
    const source = tree([
      'apps/web/package.json',
      'apps/web/dist/a',
      'apps/web/src/a',
      'copy/package.json',
      'docs/index.html',
      'py/pyproject.toml',
    ]);
    symlinkSync('apps/web', join(source, 'link'));
    symlinkSync('apps', join(source, 'apps-link'));
    const packages = ['apps/web', '.'];
    for (const path of [
      '.',
      './',
      '',
      'apps',
      'apps/',
      'apps/web',
      './apps/./web/',
      'apps/web/dist/..',
      'link',
      'apps-link',
      'copy',
      'py',
    ])
      expect([path, await isSource(source, path, packages)]).toEqual([path, true]);
    for (const path of ['apps/web/dist', 'apps/web/src', 'docs', 'missing'])
      expect([path, await isSource(source, path, packages)]).toEqual([path, false]);
    // The package itself is named by a link.
    expect(await isSource(source, 'apps', ['link'])).toBe(true);
  });
});
