import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type GeneratorInput, prepareGenerator } from '../../builder-images/builder-image-frontend/utils/generator.ts';
import { createSandbox } from '../../builder-images/shared/sandbox.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veren-generator-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string, says = 'x v0.111.3+extended linux/amd64'): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, 0o755);
}

const prepare = (env: Partial<GeneratorInput['env']>, more: Partial<GeneratorInput> = {}) =>
  prepareGenerator({
    env: { RUNTIME: 'hugo', RUNTIME_VERSION: '', INSTALLCOMMAND: '', BUILDCOMMAND: 'hugo --gc', ...env },
    work: join(folder, 'work'),
    tools: join(folder, 'tools'),
    imagePath: join(folder, 'system'),
    toolPath: join(folder, 'own'),
    preparation: { PATH: '/usr/bin:/bin' },
    sandbox: createSandbox({ maxProcesses: 100, cookie: '' }),
    say: () => undefined,
    signal: new AbortController().signal,
    ...more,
  });

test('Node needs nothing', async () => {
  expect(await prepare({ RUNTIME: 'node' })).toEqual({ path: [], variables: {}, warnings: [] });
});

test('the system’s program comes before the owner’s, whose folder is added to PATH', async () => {
  program('own/hugo');
  expect((await prepare({})).path).toEqual([join(folder, 'own')]);
  program('system/hugo');
  expect((await prepare({})).path).toEqual([]);
});

test('the image’s comes before both', async () => {
  program('system/hugo');
  program('tools/hugo@0.168.0/bin/hugo');
  const image = join(folder, 'tools/hugo@0.168.0/bin');
  for (const RUNTIME_VERSION of ['', '0.168', '0.168.0'])
    expect(await prepare({ RUNTIME_VERSION })).toEqual({ path: [image], variables: {}, warnings: [] });
});

test('another version than the stated one is told', async () => {
  program('own/hugo');
  expect((await prepare({ RUNTIME_VERSION: '0.128.0' })).warnings).toEqual([
    'Hugo 0.128.0 is stated, and this machine has 0.111.3: the site is built with that.',
  ]);
  expect((await prepare({ RUNTIME_VERSION: '0.111' })).warnings).toEqual([]);
  program('own/hugo', 'no number');
  expect((await prepare({ RUNTIME_VERSION: '0.128.0' })).warnings).toEqual([]);
});

test('folders of PATH that depend on where one stands, and what is no program, are not looked at', async () => {
  program('hugo');
  mkdirSync(join(folder, 'own/hugo'), { recursive: true });
  writeFileSync(join(folder, 'text'), '');
  const before = process.cwd();
  process.chdir(folder);
  try {
    await expect(prepare({}, { toolPath: `.::${join(folder, 'own')}:own:` })).rejects.toMatchObject({
      code: 'GENERATOR_MISSING',
    });
  } finally {
    process.chdir(before);
  }
});

test.each([
  ['hugo', 'hugo --gc', /hugo was not found on this machine: install Hugo \("apt install hugo"/],
  ['zola', 'zola build', /zola was not found on this machine: install Zola/],
  ['mkdocs', 'mkdocs build', /mkdocs was not found on this machine: install MkDocs/],
  ['jekyll', 'JEKYLL_ENV=production bundle exec jekyll build', /bundle was not found on this machine: install Ruby/],
] as const)('%s that is not there is an error that says what to install', async (RUNTIME, BUILDCOMMAND, says) => {
  await expect(prepare({ RUNTIME, BUILDCOMMAND })).rejects.toThrow(says);
  // A command that does not name the program may bring its own.
  await expect(prepare({ RUNTIME, BUILDCOMMAND: 'npm run build' })).resolves.toMatchObject({ path: [] });
});

test('requirements without Python: what to install', async () => {
  await expect(prepare({ RUNTIME: 'mkdocs', INSTALLCOMMAND: 'npm ci && pip install x' })).rejects.toThrow(
    /python3 was not found on this machine: install Python/,
  );
});

test('gems go into a folder of the build', async () => {
  program('own/bundle');
  const gems = join(folder, 'work/cache/gems');
  expect(await prepare({ RUNTIME: 'jekyll', BUILDCOMMAND: 'bundle exec jekyll build' })).toEqual({
    path: [join(gems, 'bin'), join(folder, 'own')],
    variables: { GEM_HOME: gems },
    warnings: [],
  });
});
