import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { type MemoryEntry, memoryFs } from '../../../../support/memoryFs.ts';

const detect = (tree: Readonly<Record<string, MemoryEntry>>) =>
  detectProjectType(memoryFs(tree), { today: '2026-11-27', maxFileBytes: 65_536 });
const warnings = async (tree: Readonly<Record<string, MemoryEntry>>) => (await detect(tree)).warnings;
const numbered = (count: number, path: (i: number) => string, entry: MemoryEntry) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [path(i), entry]));
const page = { 'index.html': '<h1>page</h1>' };

test('each submodule has a warning, and beyond ten they are counted', async () => {
  const said = await warnings({ ...page, ...numbered(25, (i) => `m${i + 100}`, { kind: 'submodule' }) });
  expect(said).toHaveLength(11);
  expect(said[0]).toBe(
    '"m100" is a submodule, which is not fetched: the folder is empty. "git": {"submodules": true} fetches it.',
  );
  expect(said[10]).toBe('15 more submodules are not fetched either.');
});

test('patterns of Git LFS are named with their file, a bounded number of both', async () => {
  const attributes = `${Array.from({ length: 9 }, (_, i) => `*.t${i} filter=lfs diff=lfs -text`).join('\n')}\n# *.no filter=lfs\n`;
  const said = await warnings({ ...page, ...numbered(30, (i) => `a${i + 10}/.gitattributes`, attributes) });
  expect(said).toHaveLength(11);
  expect(said[0]).toContain('a10/.gitattributes keeps *.t0, *.t1, *.t2, *.t3, *.t4 and 4 more in Git LFS');
  expect(said.join()).not.toContain('*.no');
});

test('a repository with a submodule and with pointers in place of files says both', async () => {
  const said = await warnings({
    'package.json': JSON.stringify({ private: true, scripts: { build: 'node build.mjs' } }),
    'index.html': '<img src="logo.png">',
    'build.mjs': '',
    'logo.png': 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
    '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n',
    '.gitmodules': '[submodule "theme"]\n\tpath = theme\n\turl = ../theme\n',
    theme: { kind: 'submodule' },
  });
  expect(said).toEqual([
    expect.stringContaining('"theme" is a submodule'),
    expect.stringContaining('.gitattributes keeps *.png in Git LFS'),
  ]);
});

test('folders beyond the limit are counted', async () => {
  const said = await warnings({ ...page, ...numbered(520, (i) => `libs/l${i}/package.json`, '{}') });
  expect(said).toEqual([expect.stringMatching(/^521 folders hold a package or a page; only the first 500/)]);
});

test('files of Docker and processes of a Procfile are named at the folder of the target only', async () => {
  const said = await warnings({
    'package.json': '{"private":true,"workspaces":["apps/*"]}',
    Dockerfile: 'FROM scratch',
    'apps/api/package.json': '{"scripts":{"start":"node a.js"},"dependencies":{"express":"5"}}',
    'apps/api/Dockerfile': 'FROM node',
    'apps/api/.dockerignore': 'x',
    'apps/api/Procfile': 'release: node migrate.js\nweb: node a.js\nworker: node w.js\n',
  });
  expect(said).toEqual([
    expect.stringMatching(/^apps\/api\/Dockerfile and apps\/api\/\.dockerignore are not used/),
    expect.stringMatching(/^apps\/api\/Procfile: the "release" line is not run/),
    expect.stringMatching(/^apps\/api\/Procfile: only "web" is started, not "worker"/),
  ]);
});

test('folders of equal rank are listed, and none where the request names one', async () => {
  const app = '{"private":true,"scripts":{"build":"vite build"},"devDependencies":{"vite":"7"}}';
  const tree = Object.fromEntries(
    ['one', 'two', 'three'].flatMap((name) => [
      [`apps/${name}/package.json`, app],
      [`apps/${name}/index.html`, ''],
    ]),
  );
  expect(await warnings(tree)).toEqual([
    '"apps/one" is deployed as the frontend, and "apps/three", "apps/two" could be as well. "frontend.path" chooses another one; a project deploys one of them.',
  ]);
  const named = await detectProjectType(memoryFs(tree), {
    today: '2026-11-27',
    maxFileBytes: 65_536,
    frontend: { path: 'apps/two' },
  });
  expect(named.warnings).toEqual([]);
});

test('scripts that start each other side by side end', async () => {
  const scripts = { start: 'concurrently "npm run a" "npm:start"', a: 'concurrently "npm run start" "npm:a"' };
  await expect(detect({ 'package.json': JSON.stringify({ scripts }) })).rejects.toMatchObject({
    code: 'NOTHING_TO_DEPLOY',
  });
});
