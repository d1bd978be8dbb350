import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRepositoryFromFolder } from '../../../local/client/makeRepositoryFromFolder.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-repository-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function folder(): Promise<string> {
  const source = join(dir, 'source');
  await mkdir(join(source, 'node_modules/x'), { recursive: true });
  await mkdir(join(source, 'dist'));
  await writeFile(join(source, 'node_modules/x/index.js'), '');
  await writeFile(join(source, 'dist/old.html'), '');
  await writeFile(join(source, '.gitignore'), 'dist/\n');
  await writeFile(join(source, 'index.html'), 'line\r\n');
  return source;
}

it('makes one clean commit that can be cloned, the same for the same folder', async () => {
  const source = await folder();
  const first = await makeRepositoryFromFolder(source, join(dir, 'first'));
  const second = await makeRepositoryFromFolder(source, join(dir, 'second'));
  expect(first.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(second.commit).toBe(first.commit);
  execFileSync('git', ['clone', '--quiet', first.url, join(dir, 'clone')]);
  expect((await readdir(join(dir, 'clone'))).sort()).toEqual(['.git', '.gitignore', 'index.html']);
  const log = execFileSync('git', ['log', '--format=%an <%ae> %s', 'main'], { cwd: join(dir, 'clone') });
  expect(log.toString().trim()).toBe('Veren example <example@veren.invalid> Example source');
});

it("takes nothing from the user's git", async () => {
  const source = await folder();
  const home = join(dir, 'home');
  await mkdir(join(home, 'hooks'), { recursive: true });
  await writeFile(join(home, 'hooks/pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const config = `[core]\n\thooksPath = ${join(home, 'hooks')}\n[commit]\n\tgpgSign = true\n[user]\n\tname = Somebody\n`;
  await writeFile(join(home, '.gitconfig'), config);
  const before = { ...process.env };
  Object.assign(process.env, { HOME: home, GIT_DIR: join(dir, 'elsewhere'), GIT_INDEX_FILE: join(dir, 'index') });
  try {
    const { commit } = await makeRepositoryFromFolder(source, join(dir, 'made'));
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
  } finally {
    process.env = before;
  }
});

it('says that git is missing', async () => {
  const source = await folder();
  const path = process.env.PATH;
  process.env.PATH = dir;
  try {
    await expect(makeRepositoryFromFolder(source, join(dir, 'made'))).rejects.toMatchObject({ code: 'GIT_MISSING' });
  } finally {
    process.env.PATH = path;
  }
});
