import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { MAX_SUBMODULES } from '../../builder-images/shared/checkout/submodules.ts';
import { type GitServer, git, makeRepo, startGitServer } from '../support/gitServer.ts';
import { useWorld } from './bundle.ts';

/** What the commit itself does not hold: submodules, files of Git LFS, history and tags. Through the builder as a task runs it. */
const world = useWorld();
jest.setTimeout(120_000);
const TOKEN = 'tok_0123456789abcdef';
let host: GitServer;
let foreign: Server;
let foreignUrl = '';
/** Requests of the other origin, with what they had of credentials. */
const foreignSaw: string[] = [];
/** What the LFS store has by id, and how its batch answers. */
const store = new Map<string, Buffer>();
let answer: (object: { oid: string; size: number }) => unknown;
const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

const repos = () => join(world().dir, 'hosted');
const repo = (name: string, files: Record<string, string | Buffer>) => makeRepo(join(repos(), name), files);
const pointer = (content: Buffer, size = content.length) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${hashOf(content)}\nsize ${size}\n`;

/** A repository with links to commits of others, as `.gitmodules` names them. */
function withModules(
  name: string,
  modules: readonly { path: string; url: string | null; commit: string; extra?: string }[],
  files: Record<string, string | Buffer> = { 'index.html': 'main' },
) {
  const text = modules
    .filter(({ url }) => url !== null)
    .map(({ path, url, extra = '' }, i) => `[submodule "m${i}"]\n\tpath = ${path}\n\turl = ${url}\n${extra}`)
    .join('');
  repo(name, { ...files, '.gitmodules': text });
  const folder = join(repos(), name);
  for (const { path, commit } of modules)
    git(folder, ['update-index', '--add', '--cacheinfo', `160000,${commit},${path}`]);
  git(folder, ['commit', '-q', '-m', 'links']);
  return { name, commit: git(folder, ['rev-parse', 'HEAD']) };
}

beforeAll(async () => {
  mkdirSync(repos());
  const lfs: NonNullable<Parameters<typeof startGitServer>[0]['also']> = (req, res) => {
    if (req.method === 'POST' && req.url?.endsWith('/info/lfs/objects/batch')) {
      const chunks: Buffer[] = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => {
        const { objects } = JSON.parse(Buffer.concat(chunks).toString()) as {
          objects: { oid: string; size: number }[];
        };
        res.setHeader('content-type', 'application/vnd.git-lfs+json');
        res.end(JSON.stringify({ transfer: 'basic', objects: objects.map((o) => answer(o)) }));
      });
      return true;
    }
    const stored = /^\/store\/([0-9a-f]{64})/.exec(req.url ?? '')?.[1];
    if (stored === undefined) return false;
    const content = store.get(stored);
    if (content) res.end(content);
    else res.writeHead(404).end();
    return true;
  };
  host = await startGitServer({ repos: repos(), token: TOKEN, also: lfs });
  foreign = createServer((req, res) => {
    foreignSaw.push(`${req.url} ${req.headers.authorization ?? '-'}`);
    if (req.url?.startsWith('/store/')) return void res.end(store.get(req.url.slice('/store/'.length)));
    res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  });
  await new Promise<void>((done) => foreign.listen(0, '127.0.0.1', done));
  foreignUrl = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
});
beforeEach(() => {
  store.clear();
  foreignSaw.length = 0;
  answer = ({ oid, size }) => ({
    oid,
    size,
    actions: {
      download: {
        href: `${host.url}/store/${oid}?sig=1`,
        header: { Authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`, Host: 'elsewhere' },
      },
    },
  });
});
afterAll(async () => {
  await host.close();
  await new Promise((done) => foreign.close(done));
});

const build = (made: { name: string; commit: string }, command: string, env: Record<string, string> = {}) =>
  world().build(
    { projectId: made.name, url: `${host.url}/${made.name}`, commit: made.commit },
    { GIT_TOKEN: TOKEN, BUILDCOMMAND: `mkdir out; { ${command}; } > out/index.html 2>&1`, OUTPUT_DIR: 'out', ...env },
  );
const page = async (name: string) => (await world().page(name, 'index.html')).text;
const SUBMODULES = { GIT_SUBMODULES: '1' };
const LFS = { GIT_LFS: '1' };

describe('submodules', () => {
  test('relative, absolute, by SSH names, nested: each at its commit, the token found nowhere', async () => {
    const inner = repo('inner', { 'inner.txt': 'inner' });
    const middle = withModules('middle', [{ path: 'deep/inner', url: '../inner', commit: inner.commit }], {
      'middle.txt': 'middle',
    });
    git(join(repos(), 'inner'), ['commit', '-q', '--allow-empty', '-m', 'newer']);
    const main = withModules('main', [
      { path: 'theme', url: '../middle', commit: middle.commit },
      { path: 'vendor/inner', url: `${host.url}/inner/`, commit: inner.commit },
      { path: 'skipped', url: '../nowhere', commit: inner.commit, extra: '\tupdate = none\n' },
    ]);
    const built = await build(
      main,
      'cat theme/middle.txt theme/deep/inner/inner.txt vendor/inner/inner.txt; git -C theme rev-parse HEAD; ls skipped | wc -l; grep -r tok_ .git */.git || echo none',
      SUBMODULES,
    );
    expect([built.code, built.log]).toEqual([0, expect.stringContaining('Fetching submodule theme/deep/inner')]);
    const text = await page('main');
    expect(text.startsWith('middleinnerinner')).toBe(true);
    expect(text).toContain(middle.commit);
    expect(text).toMatch(/\n0\nnone\n$/);
  });

  test('what is received counts: of few objects, too, nothing lies outside of packs', async () => {
    const few = repo('few', { 'a.txt': 'a', 'b.txt': 'b' });
    const main = withModules('packed', [{ path: 'few', url: '../few', commit: few.commit }]);
    const built = await build(main, 'for d in . few; do git -C $d count-objects; done', SUBMODULES);
    expect(built.code).toBe(0);
    expect((await page('packed')).trim().split('\n')).toEqual(Array(2).fill('0 objects, 0 kilobytes'));
  });

  test('without the field the folder stays empty', async () => {
    const inner = repo('other-inner', { a: 'a' });
    const main = withModules('plain', [{ path: 'theme', url: '../other-inner', commit: inner.commit }]);
    const built = await build(main, 'ls theme | wc -l');
    expect(built.code).toBe(0);
    expect((await page('plain')).trim()).toBe('0');
  });

  test.each([
    ['a file of this machine', 'file:///etc', /scheme "file" is not allowed/],
    ['another transport', 'ext::sh -c "touch /tmp/owned"', /cannot be used|spaces|not a URL|scheme/],
    ['git itself', 'git://127.0.0.1/x', /scheme "git" is not allowed/],
    ['an option', '--upload-pack=touch /tmp/owned', /starts with|spaces/],
    ['credentials in it', 'http://user:pw@127.0.0.1/x', /user name or password/],
    ['no URL', null, /no URL for it in \.gitmodules/],
  ])('refused: %s', async (_, url, reason) => {
    const inner = repo('refused-inner', { a: 'a' });
    const name = 'refused';
    rmSync(join(repos(), name), { recursive: true, force: true });
    const main = withModules(name, [{ path: 'm', url, commit: inner.commit }]);
    const built = await build(main, 'true', SUBMODULES);
    expect(built.last).toMatchObject({
      type: 'build.failed',
      error: { code: 'SUBMODULE_FAILED', phase: 'fetch', message: expect.stringMatching(reason) },
    });
    expect(built.code).toBe(46);
  });

  test('the token is not given to another host, whose wish for it ends the fetch', async () => {
    const inner = repo('foreign-inner', { a: 'a' });
    const main = withModules('foreign', [{ path: 'm', url: `${foreignUrl}/inner`, commit: inner.commit }]);
    const built = await build(main, 'true', SUBMODULES);
    expect(built.last).toMatchObject({ error: { code: 'SUBMODULE_FAILED' } });
    expect(foreignSaw.length).toBeGreaterThan(0);
    expect(foreignSaw.every((line) => line.endsWith(' -'))).toBe(true);
  });

  test('private addresses are refused where only https is allowed, by address and by name', async () => {
    const inner = repo('private-inner', { a: 'a' });
    for (const [url, reason] of [
      ['https://169.254.169.254/latest', 'not public'],
      ['https://localhost/x', 'not public'],
      ['http://127.0.0.1/x', 'scheme "http"'],
    ] as const) {
      rmSync(join(repos(), 'private'), { recursive: true, force: true });
      const main = withModules('private', [{ path: 'm', url, commit: inner.commit }]);
      // The repository itself is fetched by its folder here: the rules of what it names are those of `https` alone.
      const built = await world().build(
        { projectId: 'private', url: `file://${join(repos(), 'private')}`, commit: main.commit },
        { ...SUBMODULES, GIT_ALLOW_PROTOCOL: 'https:file' },
      );
      expect(built.last).toMatchObject({
        error: { code: 'SUBMODULE_FAILED', message: expect.stringContaining(reason) },
      });
    }
  });

  test('a repository that holds itself ends at the limit on depth, many at that on their number', async () => {
    const folder = join(repos(), 'itself');
    repo('itself', { '.gitmodules': '[submodule "m"]\n\tpath = m\n\turl = ../itself\n' });
    let commit = git(folder, ['rev-parse', 'HEAD']);
    for (let i = 0; i < 12; i++) {
      git(folder, ['update-index', '--add', '--cacheinfo', `160000,${commit},m`]);
      git(folder, ['commit', '-q', '-m', `${i}`]);
      commit = git(folder, ['rev-parse', 'HEAD']);
    }
    const deep = await build({ name: 'itself', commit }, 'true', SUBMODULES);
    expect(deep.last).toMatchObject({
      error: { code: 'SUBMODULE_FAILED', message: expect.stringContaining('nested') },
    });
    const many = withModules(
      'many',
      Array.from({ length: MAX_SUBMODULES + 1 }, (_, i) => ({ path: `m${i}`, url: '../itself', commit })),
    );
    const built = await build(many, 'true', SUBMODULES);
    expect(built.last).toMatchObject({ error: { message: expect.stringContaining('more than 200 submodules') } });
  });
});

describe('Git LFS', () => {
  const big = Buffer.from('P\u0000NG'.repeat(5_000));
  const site = (name: string, files: Record<string, string | Buffer>) => ({
    name,
    ...repo(name, { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', ...files }),
  });

  test('files take the place of their pointers, once fetched for all of them; git sees no change', async () => {
    store.set(hashOf(big), big);
    const made = site('lfs', {
      'a/logo.png': pointer(big),
      'b/same.png': pointer(big),
      'small.png': 'no pointer',
      'pointer.txt': pointer(big),
    });
    const before = host.requests.length;
    const built = await build(
      made,
      'cat a/logo.png | wc -c; cmp a/logo.png b/same.png && echo same; cat small.png; echo; wc -l < pointer.txt; git describe --always --dirty',
      LFS,
    );
    expect([built.code, built.log]).toEqual([0, expect.stringContaining('Fetching 1 objects of Git LFS')]);
    expect((await page('lfs')).replace(/ /g, '')).toBe(
      `${big.length}\nsame\nnopointer\n3\n${made.commit.slice(0, 7)}\n`,
    );
    expect(host.requests.slice(before).filter((line) => line.includes('/store/'))).toHaveLength(1);
  });

  test('in submodules too, and from the server that .lfsconfig names, which gets no token of ours', async () => {
    const other = Buffer.from('other');
    store.set(hashOf(big), big);
    store.set(hashOf(other), other);
    const inner = site('lfs-inner', { 'in.png': pointer(other) });
    const main = withModules('lfs-main', [{ path: 'm', url: '../lfs-inner', commit: inner.commit }], {
      '.gitattributes': '*.png filter=lfs\n',
      'x.png': pointer(big),
    });
    answer = ({ oid, size }) => ({ oid, size, actions: { download: { href: `${foreignUrl}/store/${oid}` } } });
    const built = await build(main, 'wc -c < x.png; cat m/in.png', { ...LFS, ...SUBMODULES });
    expect([built.code, built.log]).toEqual([0, expect.any(String)]);
    expect(await page('lfs-main')).toBe(`${big.length}\nother`);
    expect(foreignSaw).toEqual(expect.arrayContaining([`/store/${hashOf(other)} -`]));

    const elsewhere = site('lfs-elsewhere', {
      '.lfsconfig': `[lfs]\n\turl = ${foreignUrl}/lfs\n`,
      'x.png': pointer(big),
    });
    const refused = await build(elsewhere, 'true', LFS);
    expect(refused.last).toMatchObject({
      error: { code: 'LFS_FAILED', message: expect.stringContaining('answers 401') },
    });
    expect(foreignSaw).toContain('/lfs/objects/batch -');
  });

  test.each([
    ['something else', () => Buffer.from('Q'.repeat(20_000)), /something else|sends less/],
    ['too much', () => Buffer.concat([big, big]), /sends more/],
    ['too little', () => big.subarray(0, 10), /sends less/],
    ['nothing', () => undefined, /answers 404/],
  ])('a store that sends %s is refused, and the file is not published', async (_, content, reason) => {
    const sent = content();
    if (sent) store.set(hashOf(big), sent);
    const made = site('lfs-wrong', { 'x.png': pointer(big) });
    const built = await build(made, 'true', LFS);
    expect(built.last).toMatchObject({
      error: { code: 'LFS_FAILED', phase: 'fetch', message: expect.stringMatching(reason) },
    });
    expect(built.code).toBe(47);
    rmSync(join(repos(), 'lfs-wrong'), { recursive: true });
  });

  test.each([
    ['an error', (oid: string) => ({ oid, error: { code: 404, message: '\u001b[2Jx' } }), /does not have it \(404\)/],
    [
      'a file',
      (oid: string) => ({ oid, actions: { download: { href: 'file:///etc/passwd' } } }),
      /scheme "file" is not allowed/,
    ],
    ['no object', () => ({ oid: 'f'.repeat(64) }), /does not say where/],
    ['no list', () => ({ id: 1 }), /no list of objects/],
  ])('a server that answers with %s', async (_, say, reason) => {
    answer = ({ oid }) => say(oid);
    const made = site('lfs-answer', { 'x.png': pointer(big) });
    const built = await build(made, 'true', LFS);
    expect(built.last).toMatchObject({ error: { code: 'LFS_FAILED', message: expect.stringMatching(reason) } });
    expect(built.log).not.toContain('\u001b[2J');
    rmSync(join(repos(), 'lfs-answer'), { recursive: true });
  });

  test('a password in lfs.url is refused and not in the log, nor is the query of one', async () => {
    const at = (url: string) => site('lfs-login', { '.lfsconfig': `[lfs]\n\turl = "${url}"\n`, 'x.png': pointer(big) });
    const login = await build(at(`http://me:hunter2secret@${new URL(host.url).host}/lfs`), 'true', LFS);
    expect(login.last).toMatchObject({
      error: { code: 'LFS_FAILED', message: expect.stringContaining('holds a user name or password') },
    });
    expect(login.log).not.toContain('hunter2secret');
    rmSync(join(repos(), 'lfs-login'), { recursive: true });
    const query = await build(at(`${foreignUrl}/lfs?key=hunter2secret`), 'true', LFS);
    expect([query.last, query.log]).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ code: 'LFS_FAILED' }) }),
      expect.not.stringContaining('hunter2secret'),
    ]);
  });

  test('one object has its place in as many files as there are, however long their names', async () => {
    store.set(hashOf(big), big);
    const deep = Array.from({ length: 4 }, () => 'd'.repeat(240)).join('/');
    const paths = Array.from({ length: 2_400 }, (_, i) => `${deep}/${i}.png`);
    const made = site('lfs-many', Object.fromEntries(paths.map((path) => [path, pointer(big)])));
    const built = await build(made, `cd ${deep}; cat 0.png 2399.png | wc -c; ls | wc -l`, LFS);
    expect([built.code, built.log]).toEqual([0, expect.stringContaining('Fetching 1 objects of Git LFS')]);
    expect((await page('lfs-many')).trim().split(/\s+/).map(Number)).toEqual([2 * big.length, 2_400]);
  });

  test('links, and pointers that claim too much, are left alone or refused', async () => {
    const folder = join(repos(), 'lfs-link');
    repo('lfs-link', { '.gitattributes': '*.png filter=lfs\n', 'index.html': 'x' });
    symlinkSync('/etc/hostname', join(folder, 'x.png'));
    git(folder, ['add', '-A']);
    git(folder, ['commit', '-q', '-m', 'link']);
    const linked = await build({ name: 'lfs-link', commit: git(folder, ['rev-parse', 'HEAD']) }, 'readlink x.png', LFS);
    expect(linked.code).toBe(0);
    expect(await page('lfs-link')).toBe('/etc/hostname\n');
    const huge = site('lfs-huge', { 'x.png': pointer(big, 3 * 1024 ** 3) });
    const refused = await build(huge, 'true', LFS);
    expect(refused.last).toMatchObject({ error: { message: expect.stringContaining('larger than 2 GiB') } });
  });

  test('a repository on this machine has them in its own store', async () => {
    const made = site('lfs-local', { 'x.png': pointer(big) });
    const folder = join(repos(), 'lfs-local');
    const run = () =>
      world().build(
        { projectId: 'lfs-local', url: `file://${folder}`, commit: made.commit },
        { ...LFS, BUILDCOMMAND: 'mkdir out; wc -c < x.png > out/index.html', OUTPUT_DIR: 'out' },
      );
    expect((await run()).last).toMatchObject({ error: { message: expect.stringContaining('git lfs fetch') } });
    const oid = hashOf(big);
    const kept = join(folder, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, big);
    expect((await run()).code).toBe(0);
    expect((await page('lfs-local')).trim()).toBe(String(big.length));
  });
});

describe('history and tags', () => {
  function historic(name: string) {
    const folder = join(repos(), name);
    repo(name, { 'index.html': 'x' });
    for (let i = 0; i < 6; i++) {
      git(folder, ['commit', '-q', '--allow-empty', '-m', `c${i}`]);
      if (i === 1) git(folder, ['tag', '-a', '-m', 'one', 'v1.0.0']);
    }
    git(folder, ['checkout', '-q', '--orphan', 'unrelated']);
    git(folder, ['commit', '-q', '-m', 'unrelated']);
    git(folder, ['tag', 'unrelated-tag']);
    git(folder, ['checkout', '-q', 'main']);
    return { name, commit: git(folder, ['rev-parse', 'main']) };
  }
  const SHOW =
    'git rev-list --count HEAD; git tag; git describe --tags 2>/dev/null || echo no version; git for-each-ref refs/veren';

  test('one commit and no tags; more of both where they are asked for', async () => {
    const made = historic('history');
    const shown = async (env: Record<string, string>, url = `${host.url}/history`) => {
      const built = await world().build(
        { projectId: 'history', url, commit: made.commit },
        { GIT_TOKEN: TOKEN, BUILDCOMMAND: `mkdir out; { ${SHOW}; } > out/index.html`, OUTPUT_DIR: 'out', ...env },
      );
      expect([built.code, built.log]).toEqual([0, expect.any(String)]);
      return (await page('history')).trim().split('\n');
    };
    expect(await shown({})).toEqual(['1', 'no version']);
    expect(await shown({ GIT_FETCH_DEPTH: '3', GIT_TAGS: '1' })).toEqual(['3', 'no version']);
    const version = `v1.0.0-4-g${made.commit.slice(0, 7)}`;
    expect(await shown({ GIT_FETCH_DEPTH: '5', GIT_TAGS: '1' })).toEqual(['5', 'v1.0.0', version]);
    expect(await shown({ GIT_FETCH_DEPTH: '0', GIT_TAGS: '1' })).toEqual(['7', 'v1.0.0', version]);
    expect(await shown({ GIT_FETCH_DEPTH: '0' })).toEqual(['7', 'no version']);
    const local = `file://${join(repos(), 'history')}`;
    expect(await shown({ GIT_FETCH_DEPTH: '0', GIT_TAGS: '1' }, local)).toEqual(['7', 'v1.0.0', version]);
  });
});
