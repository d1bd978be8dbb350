import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HOST_NODE, ROOT, usePlatform } from '../support/veren.ts';
import { useCli } from './cliProcess.ts';

jest.setTimeout(180_000);

const platform = usePlatform();
const cli = useCli();
const run = (args: string[], options: Parameters<typeof cli.run>[1] = {}) =>
  cli.run(args, {
    ...options,
    env: { VEREN_URL: platform.veren.url, VEREN_TOKEN: platform.veren.token, ...options.env },
  });

/** Its build lists what it has got, into the site. */
const LIST = `const fs=require('fs');const list=(d)=>fs.readdirSync(d,{withFileTypes:true}).flatMap((e)=>e.name==='.git'||e.name==='node_modules'?[]:e.isDirectory()?list(d+'/'+e.name):[d+'/'+e.name]);const files=list('.').sort();fs.mkdirSync('dist');fs.writeFileSync('dist/index.html',JSON.stringify(files));`;
const APP = {
  'package.json': JSON.stringify({ name: 'listing', scripts: { build: 'node list.js' } }),
  'list.js': LIST,
  'veren.json': JSON.stringify({
    frontend: { ...HOST_NODE, installCommand: '', buildCommand: 'node list.js', outputDirectory: 'dist' },
  }),
};

function makeFolder(name: string, files: Record<string, string | Buffer>): string {
  const folder = join(platform.folder, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** What the build of the newest deployment has found. */
async function builtFrom(projectId: string): Promise<string[]> {
  const { items } = await platform.veren.client.listDeployments({ projectId, limit: 1 });
  const { deploymentUrl } = items[0]!.builds.frontend!.artifact as { deploymentUrl: string };
  const { hostname, port } = new URL(deploymentUrl);
  const page = execFileSync('curl', ['-sS', '--resolve', `${hostname}:${port}:127.0.0.1`, deploymentUrl]);
  return JSON.parse(String(page)).map((path: string) => path.replace(/^\.\//, ''));
}

test('a folder without git: what is ignored, secret or leads out stays here; it is a preview, and the second time the same', async () => {
  const outside = makeFolder('outside', { secret: 'of another folder' });
  const folder = makeFolder('Plain Folder', {
    ...APP,
    '.gitignore': 'cache/\n*.log\n!.env.example\n',
    '.verenignore': 'drafts\n!.env.shown\n!kept.log\n',
    '.env': 'SECRET=1',
    '.env.example': 'git knows it, nobody told us',
    '.env.shown': 'SHOWN=1',
    '.git2/x': '',
    'cache/x': '',
    'a.log': '',
    'kept.log': '',
    'drafts/x': '',
    'deep/.gitignore': '/only-here\n!b.log\n',
    'deep/only-here': '',
    'deep/b.log': '',
    'deep/deeper/only-here': '',
    'node_modules/x/index.js': '',
    'Case.txt': 'one',
    'case.txt': 'two',
    'naïve "quoted" name.txt': '',
    'tool.sh': '#!/bin/sh\n',
  });
  chmodSync(join(folder, 'tool.sh'), 0o755);
  symlinkSync('deep/deeper', join(folder, 'link-inside'));
  symlinkSync(join(outside, 'secret'), join(folder, 'link-outside'));
  symlinkSync('../outside/secret', join(folder, 'link-beside'));

  const { code, stdout, stderr } = await run(['deploy'], { cwd: folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^http:\/\/\w+--plain-folder\.localhost:\d+\/\n$/);
  expect(stderr).toMatch(/Left out.*link-beside, link-outside/);
  expect(await builtFrom('plain-folder')).toEqual(
    [
      ...['.env.shown', '.gitignore', '.verenignore', '.git2/x', 'Case.txt', 'case.txt', 'kept.log', 'link-inside'],
      ...['deep/.gitignore', 'deep/b.log', 'deep/deeper/only-here', 'list.js', 'naïve "quoted" name.txt'],
      ...['package.json', 'tool.sh', 'veren.json'],
    ].toSorted(),
  );
  const { items } = await platform.veren.client.listDeployments({ projectId: 'plain-folder' });
  expect(items[0]).toMatchObject({ environment: 'preview', ref: null });
  expect(items[0]?.gitUrl).toMatch(/^upload:[0-9a-f]{64}$/);
  expect(items[0]?.released).toBeUndefined();

  const again = await run(['deploy', '--prod', '--json'], { cwd: folder });
  expect(again.stderr).toContain('Sent 0 files');
  const released = JSON.parse(again.stdout);
  // Another environment is another lane, so it is built again, from the same commit.
  expect(released).toMatchObject({ commit: items[0]!.commit, environment: 'production' });
  expect(released.released).toBeDefined();

  const repeated = await run(['redeploy', '--json'], { cwd: folder });
  expect(JSON.parse(repeated.stdout)).toMatchObject({ status: 'succeeded', commit: items[0]!.commit });
});

test('5,000 files, then one of them changed: what is sent is at most 1.05 of that file', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 4_997 }, (_, i) => [`src/folder-${i % 50}/module-${i}.js`, `export default ${i};\n`]),
  );
  const folder = makeFolder('many', { ...APP, ...files });
  const counted = join(platform.folder, 'sent');
  const env = {
    NODE_OPTIONS: `--import=${pathToFileURL(join(ROOT, 'test/support/countSent.mjs')).href}`,
    SENT_BYTES_FILE: counted,
  };
  const first = await run(['deploy', '--no-wait'], { cwd: folder, env });
  expect({ code: first.code, stderr: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, stderr: '' });
  expect(first.stderr).toContain('5000 files');
  const changed = randomBytes(256 * 1024);
  writeFileSync(join(folder, 'src/folder-7/module-7.js'), changed);
  const second = await run(['deploy', '--no-wait'], { cwd: folder, env });
  expect(second.stderr).toContain('Sent 1 file, 262.1 kB');
  const sent = Number(readFileSync(counted, 'utf8'));
  // Everything that left the process: requests, headers and the file itself.
  expect(sent).toBeGreaterThan(changed.length);
  expect(sent).toBeLessThan(1.05 * changed.length);

  const { items } = await platform.veren.client.listDeployments({ projectId: 'many' });
  const built = await platform.veren.finished(items[0]!.deploymentId);
  expect(built.status).toBe('succeeded');
  expect(await builtFrom('many')).toHaveLength(5_000);

  // Without what is remembered of the folder all of it is told again, and nothing is sent.
  rmSync(join(cli.folder, 'config/veren/folders'), { recursive: true });
  const told = await run(['deploy', '--no-wait', '--project', 'many'], { cwd: folder });
  expect(told.stderr).toContain('Sent 0 files');
});

test('two at the same time, and one that was broken off and is finished by the next', async () => {
  const big = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`data/${i}`, randomBytes(300_000)]));
  const folder = makeFolder('twice', { ...APP, ...big });
  const broken = await run(['deploy', '--project', 'twice'], {
    cwd: folder,
    onStderr: (text, child) => text.includes('Uploading') && setTimeout(() => child.kill('SIGKILL'), 150),
  });
  expect(broken.code).not.toBe(0);
  // Nearly the same content, so both are asked for the same files.
  const other = makeFolder('twice-too', { ...APP, ...big, 'data/more': '' });
  const both = await Promise.all([folder, other].map((cwd) => run(['deploy', '--project', 'twice'], { cwd })));
  for (const { code, stderr } of both)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect([43, 44]).toContain((await builtFrom('twice')).length);
});

test('a file that is changed while it is sent: nothing is deployed, and it is said', async () => {
  const folder = makeFolder('moving', { ...APP, 'a.txt': 'before' });
  const moved = join(folder, 'a.txt');
  const changing = setInterval(() => {
    writeFileSync(`${moved}.new`, randomBytes(8));
    renameSync(`${moved}.new`, moved);
  }, 1);
  const results = [];
  // Whether the change falls between the two looks at the file is a matter of luck: never anything else comes of it.
  try {
    for (let i = 0; i < 5; i++)
      results.push(await run(['deploy', '--no-wait', '--project', 'moving'], { cwd: folder }));
  } finally {
    clearInterval(changing);
  }
  for (const { code, stderr } of results)
    if (code !== 0) expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('was changed while') });
});

test('what a folder must not decide, and what is refused', async () => {
  const foreign = makeFolder('foreign', { ...APP, '.veren-project.json': '{"projectId": "plain-folder"}' });
  const refused = await run(['deploy'], { cwd: foreign });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('was not linked by you');
  expect((await run(['link', 'plain-folder'], { cwd: foreign })).code).toBe(0);
  expect((await run(['deploy', '--no-wait'], { cwd: foreign })).code).toBe(0);

  const sameName = makeFolder('other/plain-folder', APP);
  expect((await run(['deploy'], { cwd: sameName })).stderr).toContain('there is a project "plain-folder"');
  expect(await run(['deploy', '--folder'], { cwd: cli.folder })).toMatchObject({ code: 2 });
  expect((await run(['deploy', '/'])).stderr).toContain('more than an app');
  expect((await run(['deploy', '--folder', '--ref', 'main'], { cwd: sameName })).code).toBe(2);
  mkdirSync(join(platform.folder, 'nothing'));
  expect((await run(['deploy'], { cwd: join(platform.folder, 'nothing') })).stderr).toContain('holds no file');
  const backslash = makeFolder('backslash', { ...APP, 'a\\b': '' });
  const invalid = await run(['deploy'], { cwd: backslash });
  expect(invalid).toMatchObject({ code: 2, stdout: '' });
  expect(invalid.stderr).toContain('"a\\\\b" has a name that cannot be used');
});

test('--folder: a repository as it is now, without its history, by the rules of the folders above', async () => {
  const top = makeFolder('repo', { '.gitignore': 'hidden.txt\n/app/also.txt\n', 'app/x/y.txt': '' });
  const folder = makeFolder('repo/app', { ...APP, 'hidden.txt': '', 'also.txt': '', 'new.txt': 'not committed' });
  execFileSync('git', ['init', '--quiet', top]);
  const { code, stderr } = await run(['deploy', '--folder', '--project', 'repo-app'], { cwd: folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(await builtFrom('repo-app')).toEqual(['list.js', 'new.txt', 'package.json', 'veren.json', 'x/y.txt']);
});

test('what is remembered is for the user alone', () => {
  const kept = join(cli.folder, 'config/veren/folders');
  expect(existsSync(kept)).toBe(true);
  expect(readdirSync(kept).every((name) => /^[0-9a-f]{64}\.json$/.test(name))).toBe(true);
});

test('an address takes the content that was announced, for some minutes, and gives nothing', async () => {
  const content = Buffer.from('announced');
  const file = { path: 'a', mode: '100644' as const, size: content.length };
  const sha256 = createHash('sha256').update(content).digest('hex');
  const { send } = await platform.veren.client.noteUpload('signed', { files: [{ ...file, sha256 }] });
  const { url, headers } = send[0]!;
  const put = async (to: string, body: string, given: Record<string, string> = headers) =>
    (await fetch(to, { method: 'PUT', body, headers: given })).status;
  const other = createHash('sha256').update('different').digest('base64');
  expect(await put(url, 'different')).toBe(400);
  expect(await put(url, 'different', { 'x-amz-checksum-sha256': other })).toBe(403);
  expect(await put(url, 'different', {})).toBe(403);
  expect(await put(url, 'announced and more')).toBe(403);
  expect(await put(url.replace('/signed/', '/plain-folder/'), 'announced')).toBe(403);
  expect((await fetch(url)).status).toBe(403);
  expect((await platform.veren.client.noteUpload('signed', { files: [{ ...file, sha256 }] })).lacking).toBe(1);
  expect(await put(url, 'announced')).toBe(200);
  expect((await platform.veren.client.noteUpload('signed', { files: [{ ...file, sha256 }] })).lacking).toBe(0);
});
