import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { withGitRepo } from '../../../../lambdas/shared/repo/gitRepo.ts';
import { isShortCommit } from '../../../../lambdas/shared/repo/shortCommit.ts';
import { removeFolders, temporaryFolder } from '../../../support/folders.ts';
import { type GitServer, git, makeRepo, startGitServer } from '../../../support/gitServer.ts';

const repos = temporaryFolder();
const servers: GitServer[] = [];
let first: string;
let onOther: string;
let tip: string;
let tagged: string;
/** Two commits whose ids begin with the same seven digits. */
const alike: string[] = [];

/** Makes a commit object without moving a branch. */
const commitTree = (message: string, parent: string) =>
  git(join(repos, 'app'), ['commit-tree', '-m', message, '-p', parent, `${parent}^{tree}`]);

beforeAll(async () => {
  const { commit } = makeRepo(join(repos, 'app'), { 'index.html': 'one' });
  first = commit;
  const app = join(repos, 'app');
  const next = (message: string) => {
    git(app, ['commit', '-q', '--allow-empty', '-m', message]);
    return git(app, ['rev-parse', 'HEAD']);
  };
  next('two');
  tip = next('three');
  git(app, ['checkout', '-q', '-b', 'other', first]);
  onOther = next('on other');
  next('more on other');
  git(app, ['checkout', '-q', 'main']);
  tagged = commitTree('only tagged', first);
  git(app, ['tag', '-a', '-m', 'v1', 'v1', tagged]);
  git(app, ['branch', 'cafecafe', onOther]);
  servers.push(
    await startGitServer({ repos }),
    await startGitServer({ repos, protocolV2: false }),
    await startGitServer({ repos, filter: false }),
    await startGitServer({ repos, protocolV2: false, anyCommit: false }),
  );
});
afterAll(async () => {
  for (const server of servers) await server.close();
  removeFolders();
});

const read = (base: string, ref: string, policy = LAPTOP_POLICY) =>
  withGitRepo({ gitUrl: `${base}/app`, ref, policy }, async (repo) => ({
    commit: repo.commit,
    branch: repo.branch,
    page: (await repo.fs.read(['index.html'], 100)).get('index.html'),
  }));

const hosts = {
  'protocol version 2': () => servers[0]!.url,
  'protocol version 0': () => servers[1]!.url,
  'a folder': () => `file://${repos}`,
};
describe.each(Object.entries(hosts))('%s', (_name, base) => {
  test.each([7, 39])('%d digits of any commit of a branch, or of what a tag points at', async (digits) => {
    for (const commit of [first, onOther, tip, tagged]) {
      const found = await read(base(), commit.slice(0, digits));
      expect(found).toMatchObject({ commit, branch: null });
      expect(found.page).toMatchObject({ text: 'one' });
    }
  });
  test('capital letters', async () => {
    expect((await read(base(), first.slice(0, 9).toUpperCase())).commit).toBe(first);
    expect((await read(base(), first.toUpperCase())).commit).toBe(first);
  });
  test('a branch of such a name comes first', async () => {
    expect(await read(base(), 'cafecafe')).toMatchObject({ commit: onOther, branch: 'cafecafe' });
  });
  test('none begins so: refused with the ref', async () => {
    const missing = first.startsWith('0123456') ? '6543210' : '0123456';
    await expect(read(base(), missing)).rejects.toMatchObject({
      code: 'REF_NOT_FOUND',
      message: expect.stringContaining(`"${missing}"`),
    });
    await expect(read(base(), 'no-such-branch')).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
  });
});

test('a host that gives no commits alone: what branches point at is found, the rest refused with the remedy', async () => {
  expect((await read(servers[2]!.url, tip.slice(0, 7))).commit).toBe(tip);
  await expect(read(servers[2]!.url, first.slice(0, 7))).rejects.toMatchObject({
    code: 'SHORT_COMMIT_UNRESOLVED',
    message: expect.stringMatching(/without their files.*Give all 40 digits/),
  });
});

test('a host that gives only what is advertised', async () => {
  expect((await read(servers[3]!.url, first.slice(0, 7))).commit).toBe(first);
});

test('a history over the limit is refused with the remedy', async () => {
  makeRepo(join(repos, 'long'), { 'index.html': 'x' });
  const commits = Array.from(
    { length: 400 },
    (_, n) =>
      `commit refs/heads/main\nmark :${n + 1}\ncommitter T <t@e> ${1767225600 + n} +0000\ndata 40\n${createHash('sha1').update(`${n}`).digest('hex')}\n${n === 0 ? '' : `from :${n}\n`}`,
  );
  git(join(repos, 'long'), ['fast-import', '--quiet', '--force'], commits.join(''));
  const oldest = git(join(repos, 'long'), ['rev-list', '--reverse', 'main']).split('\n')[0]!;
  for (const base of [servers[0]!.url, servers[1]!.url]) {
    const open = (maxBytes: number) =>
      withGitRepo(
        { gitUrl: `${base}/long`, ref: oldest.slice(0, 8), policy: { ...LAPTOP_POLICY, maxBytes } },
        async (repo) => repo.commit,
      );
    await expect(open(10_000)).rejects.toMatchObject({
      code: 'SHORT_COMMIT_UNRESOLVED',
      message: expect.stringContaining('too large'),
    });
    expect(await open(1_000_000)).toBe(oldest);
  }
});

test('several that begin alike are named', async () => {
  // Seven digits take 2^28 commits to repeat, on average 2^14 to do so once.
  const app = join(repos, 'alike');
  makeRepo(app, { 'index.html': 'x' });
  const tree = git(app, ['rev-parse', 'HEAD^{tree}']);
  const text = (n: number) =>
    `tree ${tree}\nauthor T <t@e> 1767225600 +0000\ncommitter T <t@e> 1767225600 +0000\n\n${n}\n`;
  const id = (n: number) =>
    createHash('sha1')
      .update(`commit ${text(n).length}\0${text(n)}`)
      .digest('hex');
  const seen = new Map<string, number>();
  for (let n = 0; alike.length === 0; n++) {
    const earlier = seen.get(id(n).slice(0, 7));
    if (earlier !== undefined)
      alike.push(...[earlier, n].map((m) => git(app, ['hash-object', '-t', 'commit', '-w', '--stdin'], text(m))));
    seen.set(id(n).slice(0, 7), n);
  }
  const top = (parents: string[]) =>
    git(app, ['commit-tree', '-m', 'top', ...parents.flatMap((parent) => ['-p', parent]), tree]);
  git(app, ['update-ref', 'refs/heads/main', top(alike)]);
  for (const base of [servers[0]!.url, servers[1]!.url, `file://${repos}`]) {
    const opened = withGitRepo(
      { gitUrl: `${base}/alike`, ref: alike[0]!.slice(0, 7), policy: LAPTOP_POLICY },
      async (repo) => repo.commit,
    );
    await expect(opened).rejects.toMatchObject({
      code: 'SHORT_COMMIT_AMBIGUOUS',
      message: expect.stringMatching(new RegExp(`${alike[0]}.*${alike[1]}|${alike[1]}.*${alike[0]}`)),
    });
  }
  expect(
    await withGitRepo(
      { gitUrl: `${servers[0]!.url}/alike`, ref: alike[0]!.slice(0, 20), policy: LAPTOP_POLICY },
      async (r) => r.commit,
    ),
  ).toBe(alike[0]);
});

test('what counts as a short id', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{1,50}$/);
  fc.assert(fc.property(hex, (text) => expect(isShortCommit(text)).toBe(text.length >= 7 && text.length <= 39)));
  fc.assert(
    fc.property(fc.string(), (text) => expect(isShortCommit(text) && !/^[0-9a-fA-F]+$/.test(text)).toBe(false)),
  );
});
