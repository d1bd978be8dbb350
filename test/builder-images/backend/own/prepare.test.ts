import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { emptyRoot, mountsIn } from '../../../../builder-images/build-image-backend/isolated/empty-root.ts';
import { prepareOwnContext } from '../../../../builder-images/build-image-backend/utils/own/prepare.ts';
import type { BackendEnv } from '../../../../contract/builder-env.ts';
import { VerenError } from '../../../../contract/errors.ts';
import { type Files, writeFiles } from '../../harness.ts';

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'veren-own-'));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const envOf = (more: Partial<BackendEnv> = {}) =>
  ({
    BACKEND_PATH: '.',
    BUILD_ENV: {},
    DEPLOYMENTID: 'd1',
    PROJECT_ID: 'p',
    GIT_COMMIT: 'c'.repeat(40),
    GIT_REPOSITORY__URL: 'https://example.org/x',
    ...more,
  }) as BackendEnv;
const prepare = (files: Files, dockerfile = 'Dockerfile', more: Partial<BackendEnv> = {}) => {
  writeFiles(join(work, 'source'), files);
  return prepareOwnContext(envOf(more), dockerfile, work);
};
const refused = (says: RegExp) => ({ code: 'DOCKERFILE_INVALID', message: expect.stringMatching(says) });

test('variables that are named by ARG, and no other; facts of the build likewise', async () => {
  const { buildArgs } = await prepare(
    { Dockerfile: 'ARG A\nFROM x\nARG VEREN_GIT_COMMIT\nARG MISSING\nENV B=1\nARG CI\n' },
    'Dockerfile',
    { BUILD_ENV: { A: 'a', B: 'secret' } },
  );
  expect(buildArgs).toEqual({ A: 'a', VEREN_GIT_COMMIT: 'c'.repeat(40), CI: 'true' });
});

test('the history is no part of the context', async () => {
  const { folder } = await prepare({ Dockerfile: 'FROM x\n', '.git/config': '' });
  expect(existsSync(join(folder, '.git'))).toBe(false);
});

test.each<[string, Files, string, RegExp]>([
  ['absent', {}, 'Dockerfile', /no such file/],
  ['a folder', { 'Dockerfile/x': '' }, 'Dockerfile', /it is no file/],
  ['a link', { Dockerfile: { link: '/etc/passwd' } }, 'Dockerfile', /symbolic link/],
  ['behind a link', { d: { link: '/etc' } }, 'd/passwd', /symbolic link/],
  ['a link to one', { Dockerfile: { link: 'other' }, other: 'FROM x' }, 'Dockerfile', /symbolic link/],
  ['outside', { x: '' }, '../../etc/passwd', /no such file/],
  ['the folder itself', { x: '' }, '.', /no file/],
  ['below a file', { x: '' }, 'x/Dockerfile', /no file/],
  ['too large', { Dockerfile: `FROM x\n${'#'.repeat(300_000)}` }, 'Dockerfile', /too large/],
  ['without FROM', { Dockerfile: 'RUN x' }, 'Dockerfile', /no FROM/],
  [
    'with rules that are a link',
    { Dockerfile: 'FROM x', '.dockerignore': { link: '/etc/shadow' } },
    'Dockerfile',
    /\.dockerignore is no file/,
  ],
  [
    'with rules of its own that are a link',
    { Dockerfile: 'FROM x', 'Dockerfile.dockerignore': { link: '/x' } },
    'Dockerfile',
    /is no file/,
  ],
])('refused: %s', async (_, files, dockerfile, says) => {
  mkdirSync(join(work, 'source'));
  await expect(prepare(files, dockerfile)).rejects.toMatchObject(refused(says));
});

test('a pipe in its place is not waited for', async () => {
  mkdirSync(join(work, 'source'));
  execFileSync('mkfifo', [join(work, 'source/Dockerfile')]);
  await expect(prepare({})).rejects.toMatchObject(refused(/no file/));
});

test('whatever the path: an answer of the table, and nothing outside is read', async () => {
  writeFiles(join(work, 'source'), { 'a/b/Dockerfile': 'FROM inside\n', l: { link: '..' }, 'a/up': { link: '../..' } });
  writeFiles(work, { Dockerfile: 'FROM outside\nARG OUTSIDE\n' });
  const part = fc.constantFrom('a', 'b', 'l', 'up', '..', '.', '', 'Dockerfile', 'source', '\u0000');
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      await prepareOwnContext(envOf(), parts.join('/'), work).then(
        ({ facts }) => expect(facts.args.has('OUTSIDE')).toBe(false),
        (error) => expect(error).toBeInstanceOf(VerenError),
      );
    }),
  );
});

test('a root is emptied of everything but what is kept and mounted', () => {
  writeFiles(work, {
    'kaniko/executor': '',
    'etc/hosts': '',
    'etc/passwd': '',
    'usr/bin/x': '',
    'dev/null': '',
    top: '',
    l: { link: 'etc' },
  });
  emptyRoot([join(work, 'kaniko')], work, [join(work, 'etc/hosts'), join(work, 'dev'), '/']);
  const left = execFileSync('find', ['.', '-type', 'f', '-o', '-type', 'l'], { cwd: work, encoding: 'utf8' });
  expect(left.split('\n').filter(Boolean).sort()).toEqual(['./dev/null', './etc/hosts', './kaniko/executor']);
  expect(mountsIn('1 2 0:1 / /a\\040b rw - x\n3 4 0:2 / / rw\n')).toEqual(['/a b', '/']);
});
