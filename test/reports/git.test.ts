import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type GitServer, git, makeRepo, startGitServer } from '../support/gitServer.ts';
import { HOST_NODE, startVeren, temporaryFolder, type Veren } from '../support/veren.ts';

/** What a commit itself does not hold, and commits that are named by a few digits. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let veren: Veren;
let host: GitServer;
let commit = '';
const logo = Buffer.from('PNG'.repeat(4_000));
const oid = createHash('sha256').update(logo).digest('hex');

beforeAll(async () => {
  folder = await temporaryFolder();
  const repos = join(folder.path, 'repos');
  mkdirSync(repos);
  host = await startGitServer({
    repos,
    also: (req, res) => {
      if (req.url === `/store/${oid}`) return Boolean(res.end(logo));
      if (!req.url?.endsWith('/info/lfs/objects/batch')) return false;
      req.resume();
      const objects = [{ oid, size: logo.length, actions: { download: { href: `/store/${oid}` } } }];
      return Boolean(res.end(JSON.stringify({ objects })));
    },
  });
  const theme = makeRepo(join(repos, 'theme'), { 'header.html': '<header>theme</header>' });
  makeRepo(join(repos, 'site'), {
    '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n',
    '.gitmodules': '[submodule "theme"]\n\tpath = theme\n\turl = ../theme\n',
    'package.json': JSON.stringify({ private: true, scripts: { build: 'node build.mjs' } }),
    'logo.png': `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${logo.length}\n`,
    'build.mjs': `import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execSync } from 'node:child_process';
const git = (command) => execSync(command + ' 2>/dev/null || echo none', { encoding: 'utf8' }).trim();
const header = existsSync('theme/header.html') ? readFileSync('theme/header.html', 'utf8') : 'no theme';
const { VEREN_GIT_REF, VEREN_GIT_BRANCH } = process.env;
mkdirSync('dist');
copyFileSync('logo.png', 'dist/logo.png');
writeFileSync('dist/index.html', JSON.stringify({ header, version: git('git describe --tags'), commits: git('git rev-list --count HEAD'), VEREN_GIT_REF, VEREN_GIT_BRANCH }));`,
  });
  const site = join(repos, 'site');
  git(site, ['update-index', '--add', '--cacheinfo', `160000,${theme.commit},theme`]);
  git(site, ['commit', '-q', '-m', 'theme']);
  git(site, ['tag', '-a', '-m', 'v2', 'v2.0.0']);
  git(site, ['commit', '-q', '--allow-empty', '-m', 'after the tag']);
  commit = git(site, ['rev-parse', 'HEAD']);
  git(site, ['commit', '-q', '--allow-empty', '-m', 'newer']);
  veren = await startVeren(join(folder.path, 'data'));
}, 120_000);
afterAll(async () => {
  await veren?.stop();
  await host?.close();
  await folder?.remove();
});

async function deploy(request: object) {
  const gitUrl = `${host.url}/site`;
  const record = await veren.deploy({
    projectId: 'site',
    gitUrl,
    frontend: { ...HOST_NODE },
    environment: 'production',
    ...request,
  });
  const build = record.builds.frontend;
  if (build?.artifact?.kind !== 'static') return { record, page: null, logo: 0 };
  const page = (await (await fetch(build.artifact.url)).json()) as Record<string, unknown>;
  const image = await (await fetch(new URL('/logo.png', build.artifact.url))).arrayBuffer();
  return { record, page, logo: image.byteLength };
}

test('without a word of it, a warning for each: the submodule and Git LFS', async () => {
  const { record, page } = await deploy({});
  expect(page).toMatchObject({ header: 'no theme', version: 'none', commits: '1', VEREN_GIT_BRANCH: 'main' });
  expect(record.plan?.warnings.filter((warning) => !warning.startsWith('Nothing says what'))).toEqual([
    expect.stringMatching(/"theme" is a submodule.*"git": \{"submodules": true\}/),
    expect.stringMatching(/\*\.png in Git LFS.*"git": \{"lfs": true\}/),
  ]);
}, 120_000);

test('with it: submodule, files, history and tags are there, at a commit that seven digits name; again on redeploy', async () => {
  const ref = commit.slice(0, 7);
  const wanted = { submodules: true, lfs: true, fetchDepth: 0, tags: true };
  const { record, page, logo: bytes } = await deploy({ ref, git: wanted });
  expect([
    record.status,
    record.commit,
    record.plan?.warnings.filter((warning) => !warning.startsWith('Nothing says what')),
  ]).toEqual(['succeeded', commit, []]);
  const expected = {
    header: '<header>theme</header>',
    version: `v2.0.0-1-g${ref}`,
    commits: '3',
    VEREN_GIT_REF: ref,
  };
  expect([page, bytes]).toEqual([expected, logo.length]);
  const again = await veren.finished((await veren.client.redeploy(record.deploymentId)).deploymentId);
  const artifact = again.builds.frontend?.artifact as { url: string };
  expect(await (await fetch(artifact.url)).json()).toEqual(expected);
}, 240_000);

test('digits that no commit begins with are refused with the ref', async () => {
  const ref = commit.startsWith('abcdef0') ? 'fedcba9' : 'abcdef0';
  const { record } = await deploy({ ref });
  expect(record.error).toMatchObject({ code: 'REF_NOT_FOUND', message: expect.stringContaining(`"${ref}"`) });
}, 60_000);
