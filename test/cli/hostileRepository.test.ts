import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseContext } from '../../cli/contexts/chooseContext.ts';
import { describeRepository } from '../../cli/git/describeRepository.ts';
import { listIgnored } from '../../cli/git/listIgnored.ts';
import { writeLink } from '../../cli/project/linkFile.ts';
import type { Shell } from '../../cli/shell.ts';

/** A folder from a stranger that has a repository's settings: no command of ours may start a program that they name. */

const root = realpathSync(mkdtempSync(join(tmpdir(), 'veren-hostile-repository-')));
afterAll(() => rmSync(root, { recursive: true }));
const started = join(root, 'started');
const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: join(root, 'gitconfig'), GIT_CONFIG_NOSYSTEM: '1' };
const shell = { env, platform: 'linux', cwd: root, home: root } as unknown as Shell;
const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: folder, env })
    .toString()
    .trim();

function makeRepository(name: string): string {
  const folder = join(root, name);
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), 'one');
  writeFileSync(join(folder, 'sub/.gitignore'), '*.log\n');
  writeFileSync(join(folder, 'sub/a.log'), '');
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--message=one');
  return folder;
}

/** As large as before, so that git has to read it. */
const changeFile = (folder: string) => writeFileSync(join(folder, 'index.html'), 'two');

test('a status counts changes, by the filters of the user alone', async () => {
  const folder = makeRepository('filtered');
  changeFile(folder);
  writeFileSync(join(folder, '.git/info/attributes'), '*.html filter=user\n');
  writeFileSync(env.GIT_CONFIG_GLOBAL, '[filter "user"]\n\tclean = printf one\n');
  expect(await describeRepository(shell, folder)).toMatchObject({ changedFiles: 0 });
  writeFileSync(join(folder, '.git/info/attributes'), '');
  expect(await describeRepository(shell, folder)).toMatchObject({ changedFiles: 1 });

  writeFileSync(join(folder, '.git/info/attributes'), '*.html filter=a=b\n');
  for (const key of ['filter.a=b.clean', 'filter.a=b.process', 'lfs.extension.x.clean']) {
    writeFileSync(join(folder, 'included'), '');
    git(folder, 'config', '--file', 'included', key, `touch ${started}`);
    git(folder, 'config', 'include.path', '../included');
    expect(await describeRepository(shell, folder)).toMatchObject({ changedFiles: null });
    expect(existsSync(started)).toBe(false);
  }
});

test('what a repository lacks is not fetched by a program that it names', async () => {
  const folder = makeRepository('lacking');
  const id = git(folder, 'rev-parse', ':sub/.gitignore');
  git(folder, 'update-index', '--skip-worktree', 'sub/.gitignore');
  rmSync(join(folder, 'sub/.gitignore'));
  rmSync(join(folder, '.git/objects', id.slice(0, 2), id.slice(2)));
  const settings = {
    ...{ 'core.repositoryformatversion': '1', 'extensions.partialClone': 'origin', 'remote.origin.promisor': 'true' },
    ...{ 'protocol.allow': 'always', 'core.sshCommand': `touch ${started};` },
    'remote.origin.uploadpack': `touch ${started};`,
  };
  for (const [key, value] of Object.entries(settings)) git(folder, 'config', key, value);
  for (const url of ['ssh://host.example/x', `ext::touch ${started}`, `file://${root}`]) {
    git(folder, 'config', 'remote.origin.url', url);
    await listIgnored(shell, folder);
    await describeRepository(shell, folder);
    expect(existsSync(started)).toBe(false);
  }
});

test('a folder of a clone that looks like a bare repository is none; a submodule is not looked into', async () => {
  const folder = makeRepository('outer');
  const inner = join(folder, 'inner');
  cpSync(join(folder, '.git'), inner, { recursive: true });
  for (const [key, value] of [
    ['core.bare', 'false'],
    ['core.worktree', folder],
    ['filter.x.clean', `touch ${started}`],
  ])
    git(folder, 'config', '--file', join(inner, 'config'), key!, value!);
  await expect(describeRepository(shell, inner)).rejects.toMatchObject({ code: 'CLI_NO_REPOSITORY' });

  const module = makeRepository('outer/module');
  git(folder, '-c', 'advice.addEmbeddedRepo=false', 'add', 'module');
  git(folder, 'commit', '--quiet', '--message=two');
  writeFileSync(join(module, '.git/info/attributes'), '* filter=x\n');
  git(module, 'config', 'filter.x.clean', `touch ${started}`);
  changeFile(module);
  expect(await describeRepository(shell, folder)).toMatchObject({ changedFiles: 1 });
  expect(existsSync(started)).toBe(false);
});

test.each(['info', 'info/exclude'])(
  'what git is told to ignore is written through no link at .git/%s',
  async (name) => {
    const folder = makeRepository(`linked-${name.replace('/', '-')}`);
    const outside = join(root, `outside-${name.replace('/', '-')}`);
    mkdirSync(outside);
    writeFileSync(join(outside, 'exclude'), 'own\n');
    rmSync(join(folder, '.git', name), { recursive: true });
    symlinkSync(name === 'info' ? outside : join(outside, 'exclude'), join(folder, '.git', name));
    await writeLink({ ...shell, cwd: folder, env: { ...env, XDG_CONFIG_HOME: join(root, 'config') } }, folder, 'shop');
    expect(readFileSync(join(outside, 'exclude'), 'utf8')).toBe('own\n');
  },
);

describe('the token of a platform that came with a folder', () => {
  const files = (name: string) => {
    const folder = makeRepository(`token-${name}`);
    mkdirSync(join(folder, '.veren'), { mode: 0o700 });
    const file = join(folder, '.veren/token');
    writeFileSync(file, 'token-of-a-stranger\n', { mode: 0o600 });
    writeFileSync(join(folder, '.veren/port'), '4321\n');
    return { folder, file, choose: () => chooseContext({ ...shell, cwd: join(folder, 'sub') }, undefined) };
  };
  const refused = (reason: string) => ({
    code: 'CLI_TOKEN_FILE_FOREIGN',
    details: { reason: expect.stringContaining(reason) },
  });

  test('is used where it is the user’s own', async () => {
    expect(await files('own').choose()).toMatchObject({ url: 'http://127.0.0.1:4321', token: 'token-of-a-stranger' });
  });

  test('is refused where git tracks it, whatever its mode', async () => {
    const { folder, choose } = files('tracked');
    git(folder, 'add', '--force', '.veren/port');
    await expect(choose()).rejects.toMatchObject(refused('git repository'));
  });

  test('is refused where others may read it, as after a clone', async () => {
    const { file, choose } = files('readable');
    chmodSync(file, 0o644);
    await expect(choose()).rejects.toMatchObject(refused('others'));
  });

  test('is refused where it is a link to a file of the user’s', async () => {
    const { file, choose } = files('linked');
    const own = join(root, 'secret-of-the-user');
    writeFileSync(own, 'secret-of-the-user\n', { mode: 0o600 });
    rmSync(file);
    symlinkSync(own, file);
    await expect(choose()).rejects.toMatchObject(refused('link'));
  });

  (process.getuid?.() === 0 ? test : test.skip)('is refused where it is of another user', async () => {
    const { file, choose } = files('other');
    chownSync(file, 54_324, 54_324);
    await expect(choose()).rejects.toMatchObject(refused('another user'));
  });
});
