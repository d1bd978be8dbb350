import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandContext } from '../../cli/commandContext.ts';
import { uploadToProject } from '../../cli/upload/deployFolder.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'veren-ignored-')));
afterAll(() => rmSync(root, { recursive: true }));

function makeFolder(name: string, files: Record<string, string>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name, path)), { recursive: true });
    writeFileSync(join(root, name, path), content);
  }
  return join(root, name);
}

/** The paths that the API is told of, and stderr. */
async function upload(folder: string, options = {}, env: Record<string, string | undefined> = {}) {
  let stderr = '';
  let paths: string[] = [];
  const context = {
    shell: {
      env: {
        PATH: process.env.PATH,
        XDG_CONFIG_HOME: mkdtempSync(join(root, 'config-')),
        GIT_CONFIG_GLOBAL: '/dev/null',
        ...env,
      },
      ...{ platform: 'linux', cwd: root, home: join(root, 'home'), now: Date.now },
      stderr: { write: (text: string) => (stderr += text) },
    },
    chosen: { url: 'https://veren.example' },
    style: { safe: (text: string) => text },
    client: {
      noteUpload: async (_id: string, { files }: { files: { path: string }[] }) => {
        paths = files.map(({ path }) => path);
        return { uploadId: 'a'.repeat(64), lacking: 0, send: [] };
      },
    },
  };
  await uploadToProject(context as unknown as CommandContext, folder, 'app', options);
  return { paths, stderr };
}

test('what .verenignore alone brings in is named, and for an assistant left out', async () => {
  const folder = makeFolder('asks', {
    ...{ '.env': 'SECRET=1', 'index.html': '', 'a.log': '', 'b.log': '', '.gitignore': '*.log\n' },
    '.verenignore': '!.env\n!a.log\n!index.html\n',
  });
  const { paths, stderr } = await upload(folder);
  expect(paths).toEqual(['.env', '.gitignore', '.verenignore', 'a.log', 'index.html']);
  expect(stderr).toMatch(/Uploaded since .verenignore asks.*\n(?: {2}(?:\.env|a\.log)\n){2}Uploading/);
  const named: string[] = [];
  const options = { forAssistant: true, onBroughtIn: (of: string[]) => named.push(...of) };
  expect((await upload(folder, options)).paths).toEqual(['.gitignore', '.verenignore', 'index.html']);
  expect(named.toSorted()).toEqual(['.env', 'a.log']);
});

test('what git ignores by files outside of the folder stays here, of a repository inside too', async () => {
  const folder = makeFolder('repo', {
    ...{ 'index.html': '', 'notes/x': '', 'deep/notes/x': '', 'mine.key': '', 'inner/token': '', 'inner/page': '' },
    'app/mine.key': '',
    'app/page': '',
  });
  for (const at of [folder, join(folder, 'inner')]) execFileSync('git', ['init', '--quiet', at]);
  writeFileSync(join(folder, '.git/info/exclude'), 'notes/\n');
  writeFileSync(join(folder, 'inner/.git/info/exclude'), 'token\n');
  const excludes = join(root, 'excludes');
  writeFileSync(excludes, '*.key\n');
  const config = join(root, 'gitconfig');
  writeFileSync(config, `[core]\n\texcludesFile = ${excludes}\n`);
  const env = { GIT_CONFIG_GLOBAL: config };
  expect((await upload(folder, {}, env)).paths).toEqual(['app/page', 'index.html', 'inner/page']);
  expect((await upload(join(folder, 'app'), {}, env)).paths).toEqual(['page']);
});

test.each(['', 'app'])(
  'where git does not answer that is said, and an assistant uploads nothing (%j)',
  async (below) => {
    const folder = makeFolder(`silent${below}`, { '.gitignore': '*.log\n', 'app/page': '', 'app/a.log': '' });
    execFileSync('git', ['init', '--quiet', folder]);
    const given = join(folder, below);
    const { paths, stderr } = await upload(given, {}, { PATH: root });
    expect(paths).toContain(below === '' ? 'app/page' : 'page');
    expect(paths.join()).not.toContain('a.log');
    expect(stderr).toContain('git does not say what it ignores');
    await expect(upload(given, { forAssistant: true }, { PATH: root })).rejects.toThrow('git does not say');
  },
);
