import { spawn } from 'node:child_process';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { useWorld } from './bundle.ts';
import { commitAll, git, repository } from './harness.ts';

/** Fetching over HTTP: a smart server with and without a token, a plain-files server, and hostile answers. */
const world = useWorld();
const TOKEN = 'tok_0123456789abcdef';
let server: Server;
let url = '';
const authorizations: (string | undefined)[] = [];

/** git's own CGI program behind a Node server. */
function backend(request: IncomingMessage, response: ServerResponse, root: string): void {
  const [path, query = ''] = (request.url ?? '').split('?') as [string, string?];
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  let done = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (done) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    done = true;
    const headers = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => response.end());
}

beforeAll(async () => {
  const root = join(world().dir, 'http');
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]!;
    if (path.startsWith('/private/')) {
      authorizations.push(request.headers.authorization);
      const expected = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`;
      if (request.headers.authorization !== expected)
        return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
    }
    if (path.startsWith('/moved/'))
      return void response.writeHead(301, { Location: request.url!.replace('/moved/', '/private/') }).end();
    if (path.startsWith('/plain/')) {
      const file = join(root, path);
      if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
      return void createReadStream(file).pipe(response);
    }
    backend(request, response, root);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => new Promise((done) => server.close(done)));

const make = (path: string) => repository(join(world().dir, 'http', path), { 'index.html': path });
const show = {
  BUILDCOMMAND: 'mkdir out; { env; cat "$HOME"/.gitconfig .git/config; find .. -name askpass; } > out/seen.txt 2>&1',
  OUTPUT_DIR: 'out',
};

test('a private repository is fetched with its token, which the build cannot find', async () => {
  const { commit } = make('private/repo');
  const built = await world().build(
    { projectId: 'private', url: `${url}/private/repo/.git`, commit },
    { ...show, GIT_TOKEN: TOKEN },
  );
  expect([built.code, built.log]).toEqual([0, expect.any(String)]);
  const seen = (await world().page('private', 'seen.txt')).text;
  expect(seen).not.toContain(TOKEN);
  expect(seen).not.toContain('askpass');
  expect(seen).not.toContain(Buffer.from(`x-access-token:${TOKEN}`).toString('base64'));
  expect(built.log).not.toContain(TOKEN);
});

test('a wrong token, a missing one, and a redirect with one: the fetch fails and no prompt waits', async () => {
  const { commit } = make('private/other');
  authorizations.length = 0;
  const fetch = (path: string, env: Record<string, string>) =>
    world().build({ projectId: 'refused', url: `${url}/${path}/.git`, commit }, env);
  for (const [path, env] of [
    ['private/other', { GIT_TOKEN: 'tok_wrong_0123456789' }],
    ['private/other', {}],
    ['moved/other', { GIT_TOKEN: TOKEN }],
  ] as const) {
    const built = await fetch(path, env as Record<string, string>);
    expect(built.last).toMatchObject({ type: 'build.failed', error: { code: 'FETCH_FAILED', phase: 'fetch' } });
    expect(built.code).toBe(20);
  }
  expect(
    authorizations.some((value) => value?.includes(Buffer.from(`x-access-token:${TOKEN}`).toString('base64'))),
  ).toBe(false);
});

test('a server of plain files, and a commit that is no branch any more', async () => {
  const { commit } = make('plain/repo');
  const folder = join(world().dir, 'http/plain/repo');
  git(folder, 'update-server-info');
  const built = await world().build({ projectId: 'plain', url: `${url}/plain/repo/.git`, commit });
  expect([built.code, built.log]).toEqual([0, expect.stringContaining('does not hand out single commits')]);
  expect((await world().page('plain', 'index.html')).text).toBe('plain/repo');

  const { commit: old } = make('smart');
  commitAll(join(world().dir, 'http/smart'), { 'index.html': 'newer' });
  const older = await world().build({ projectId: 'smart', url: `${url}/smart/.git`, commit: old });
  expect(older.code).toBe(0);
  expect((await world().page('smart', 'index.html')).text).toBe('smart');
});

test('hooks, filters, submodules and forbidden protocols do nothing', async () => {
  const other = make('module');
  const folder = join(world().dir, 'http/tricky');
  repository(folder, { '.gitattributes': '*.html filter=evil', 'index.html': 'x' });
  git(folder, '-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', other.url, 'module');
  const commit = commitAll(folder, {
    '.gitmodules': '[submodule "module"]\n\tpath = module\n\turl = ext::sh -c "touch /tmp/owned"\n',
  });
  const built = await world().build(
    { projectId: 'tricky', url: `${url}/tricky/.git`, commit },
    { BUILDCOMMAND: 'ls module | wc -l' },
  );
  expect(built.code).toBe(0);
  expect(built.lines.some((line) => line.line.trim() === '0')).toBe(true);

  const marker = join(world().dir, 'owned');
  const forbidden = await world().build({ projectId: 'ext', url: `ext::sh -c touch% ${marker}`, commit });
  expect(forbidden.code).toBe(20);
  expect(existsSync(marker)).toBe(false);
  const option = await world().build({ projectId: 'option', url: `--upload-pack=touch ${marker}`, commit });
  expect(option.code).toBe(31);
  expect(existsSync(marker)).toBe(false);
});
