import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { PlanSchema } from '../../../contract/plan.ts';
import { type AnalyzeInput, analyzeRepository } from '../../../lambdas/clone-worker/analyzeRepository.ts';
import { makeGitFolder, removeGitFolder } from '../../../lambdas/shared/repo/gitFolder.ts';
import { type GitPolicy, LAPTOP_POLICY, PUBLIC_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { makeRemote } from '../../../lambdas/shared/repo/remote.ts';
import { runGit } from '../../../lambdas/shared/repo/runGit.ts';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { type GitServer, git, makeRepo, startGitServer } from '../../support/gitServer.ts';

/** Repositories served by git's own `http-backend`, and servers that misbehave. */

// Real git processes, on a machine that may be busy.

const VITE = {
  'package.json': JSON.stringify({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } }),
  'package-lock.json': '{"lockfileVersion":3}',
  'index.html': '<div id="app"></div>',
};
const MONOREPO = {
  'package.json': '{"private":true,"packageManager":"pnpm@9.15.0"}',
  'pnpm-workspace.yaml': 'packages: [apps/*]\n',
  'pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
  '.nvmrc': '22\n',
  'apps/web/package.json': JSON.stringify({
    name: 'web',
    scripts: { build: 'vite build' },
    devDependencies: { vite: '^7' },
  }),
  'apps/web/index.html': '',
  'apps/api/package.json': JSON.stringify({
    name: 'api',
    scripts: { start: 'node index.js' },
    dependencies: { fastify: '^5' },
  }),
  'apps/api/index.js': '',
};
const TOKEN = 'tok-0123456789-secret';

const repos = temporaryFolder();
const commits: Record<string, string> = {};
const open: GitServer[] = [];
let server: GitServer;
const clock = { now: () => Date.parse('2026-11-23T00:00:00Z') };
const analyze = (gitUrl: string, rest: Partial<AnalyzeInput> = {}) =>
  analyzeRepository({ gitUrl, policy: LAPTOP_POLICY, clock, ...rest });
const failure = async (promise: Promise<unknown>): Promise<VerenError> => {
  const error = await promise.then(
    () => new Error('no error'),
    (e: unknown) => e,
  );
  if (!(error instanceof VerenError)) throw error;
  return error;
};
const serve = async (options: Partial<Parameters<typeof startGitServer>[0]> = {}) => {
  const started = await startGitServer({ repos, ...options });
  open.push(started);
  return started;
};

beforeAll(async () => {
  commits.app = makeRepo(join(repos, 'app'), VITE).commit;
  commits.mono = makeRepo(join(repos, 'mono'), MONOREPO).commit;
  git(join(repos, 'app'), ['tag', '-a', 'v1', '-m', 'first']);
  git(join(repos, 'app'), ['tag', 'tree-tag', 'HEAD^{tree}']);
  git(join(repos, 'app'), ['checkout', '-q', '-b', 'feature/x']);
  git(join(repos, 'app'), ['commit', '-q', '--allow-empty', '-m', 'second']);
  commits.second = git(join(repos, 'app'), ['rev-parse', 'HEAD']);
  git(join(repos, 'app'), ['commit', '-q', '--allow-empty', '-m', 'third']);
  git(join(repos, 'app'), ['checkout', '-q', 'main']);
  git(repos, ['init', '-q', '-b', 'main', 'empty']);
  server = await serve();
});

afterAll(async () => {
  await Promise.all(open.map((s) => s.close()));
  removeFolders();
});

describe('plans', () => {
  test('a monorepo with frontend and backend, in four requests', async () => {
    const before = server.requests.length;
    const plan = await analyze(`${server.url}/mono`);
    expect(PlanSchema.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      commit: commits.mono,
      frontend: {
        path: 'apps/web',
        installPath: '.',
        packageManager: { name: 'pnpm', version: '9.15.0' },
        nodeVersion: 22,
        installCommand: 'pnpm install --frozen-lockfile',
        buildCommand: 'pnpm run build',
        outputDirectory: 'dist',
      },
      backend: { path: 'apps/api', framework: 'fastify', startCommand: 'pnpm start', nodeVersion: 22 },
    });
    // Discovery, refs, commit and trees, contents.
    expect(server.requests.slice(before).map((r) => r.split(/[?]/)[0])).toEqual([
      'GET /mono/info/refs',
      'POST /mono/git-upload-pack',
      'POST /mono/git-upload-pack',
      'POST /mono/git-upload-pack',
    ]);
  });

  test.each([
    ['a branch', 'main', 'app'],
    ['a branch with a slash', 'feature/x', undefined],
    ['a full name', 'refs/heads/main', 'app'],
    ['an annotated tag', 'v1', 'app'],
    ['a commit', undefined, 'second'],
  ])('%s', async (_what, ref, name) => {
    const wanted = name === undefined ? git(join(repos, 'app'), ['rev-parse', 'feature/x']) : commits[name];
    expect((await analyze(`${server.url}/app`, { ref: ref ?? wanted })).commit).toBe(wanted);
  });

  test('a folder on this machine', async () => {
    expect((await analyze(`file://${join(repos, 'app')}`)).commit).toBe(commits.app);
  });

  test('a host that cannot filter', async () => {
    const old = await serve({ filter: false });
    expect((await analyze(`${old.url}/mono`)).backend?.path).toBe('apps/api');
  });

  test.each(['main', 'feature/x', 'v1'])('a host with protocol version 0: %s', async (ref) => {
    const old = await serve({ protocolV2: false });
    expect((await analyze(`${old.url}/app`, { ref })).frontend?.framework).toBe('vite');
  });

  test('a host with protocol version 0 that gives no other commits than the newest', async () => {
    const old = await serve({ protocolV2: false, anyCommit: false });
    expect((await analyze(`${old.url}/app`, { ref: commits.second })).commit).toBe(commits.second);
  });

  test('overrides of the request', async () => {
    const plan = await analyze(`${server.url}/mono`, {
      frontend: { nodeVersion: 20, buildCommand: 'make' },
      backend: false,
    });
    expect(plan).toMatchObject({ frontend: { nodeVersion: 20, buildCommand: 'make' } });
    expect(plan.backend).toBeUndefined();
  });
});

describe('examples', () => {
  const examples = join(__dirname, '../../../examples');
  const names = existsSync(examples)
    ? readdirSync(examples, { withFileTypes: true })
        .filter((e) => e.isDirectory())
        .map((e) => e.name)
    : [];
  test.each(names)('%s', async (name) => {
    const { path } = makeRepo(join(repos, `example-${name}`), filesBelow(join(examples, name)));
    expect(existsSync(path)).toBe(true);
    const {
      commit: _commit,
      inputs,
      lane,
      environment,
      branch,
      ...plan
    } = await analyze(`${server.url}/example-${name}`);
    expect([lane, environment, branch]).toEqual(['production', 'production', 'main']);
    expect(inputs).toMatch(/^[0-9a-f]{64}$/);
    expect(plan).toMatchSnapshot();
  });
});

function filesBelow(dir: string, prefix = ''): Record<string, Buffer> {
  return Object.fromEntries(
    readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
      if (['node_modules', 'dist', '.git'].includes(entry.name)) return [];
      const path = join(dir, entry.name);
      return entry.isDirectory()
        ? Object.entries(filesBelow(path, `${prefix}${entry.name}/`))
        : [[`${prefix}${entry.name}`, readFileSync(path)]];
    }),
  );
}

describe('what is not there', () => {
  test.each([
    ['a missing branch', 'app', 'nope', 'REF_NOT_FOUND'],
    ['a missing commit', 'app', '0123456789012345678901234567890123456789', 'REF_NOT_FOUND'],
    ['a short commit', 'app', 'abc1234', 'REF_NOT_FOUND'],
    ['a tag of something else than a commit', 'app', 'tree-tag', 'REF_NOT_FOUND'],
    ['a missing repository', 'nope', undefined, 'REPO_NOT_FOUND'],
    ['an empty repository', 'empty', undefined, 'REPO_EMPTY'],
  ])('%s', async (_what, repo, ref, code) => {
    expect((await failure(analyze(`${server.url}/${repo}`, { ref }))).code).toBe(code);
  });

  test('the error names the branch and the repository', async () => {
    const { message } = await failure(analyze(`${server.url}/app`, { ref: 'nope' }));
    expect(message).toContain(`There is no branch, tag or commit "nope" in ${server.url}/app.`);
  });

  test('nobody listens', async () => {
    const gone = await startGitServer({ repos });
    await gone.close();
    expect((await failure(analyze(`${gone.url}/app`))).code).toBe('GIT_FAILED');
  });

  test('no folder on this machine', async () => {
    expect((await failure(analyze('file:///nonexistent/repo'))).code).toBe('REPO_NOT_FOUND');
  });
});

describe('a private repository', () => {
  let secret: GitServer;
  beforeAll(async () => {
    secret = await serve({ token: TOKEN });
  });

  test('with its token', async () => {
    expect((await analyze(`${secret.url}/app`, { gitToken: TOKEN })).commit).toBe(commits.app);
    expect(secret.requests.join('\n')).not.toContain(TOKEN);
  });

  test('without a token it is not readable, and the error says that a token may help', async () => {
    const error = await failure(analyze(`${secret.url}/app`));
    expect(error.code).toBe('REPO_NOT_FOUND');
    expect(error.message).toContain('"gitToken"');
  });

  test('with a wrong token', async () => {
    const error = await failure(analyze(`${secret.url}/app`, { gitToken: 'wrong-token' }));
    expect(error.code).toBe('REPO_AUTH_FAILED');
    expect(JSON.stringify([error.message, error.details, error.stack, String(error.cause)])).not.toContain(
      'wrong-token',
    );
  });

  test('the token is in no command line while git runs', async () => {
    const asked = deferred();
    const stalling = await misbehaving((_req, _res) => asked.resolve(undefined));
    const running = failure(
      analyze(`${stalling}/app`, { gitToken: TOKEN, policy: { ...LAPTOP_POLICY, timeoutMs: 1_500 } }),
    );
    await asked.promise;
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return '';
        }
      });
    expect(lines.some((line) => line.includes('git-remote-http') || line.includes('remote-http'))).toBe(true);
    const basic = Buffer.from(`x-access-token:${TOKEN}`).toString('base64');
    expect(lines.filter((line) => line.includes(TOKEN) || line.includes(basic))).toEqual([]);
    expect((await running).code).toBe('GIT_TIMEOUT');
  });

  test('a token does not travel in the clear', async () => {
    const error = await failure(analyze('http://git.example.com/app', { gitToken: TOKEN }));
    expect(error.code).toBe('GIT_URL_UNSUPPORTED');
  });
});

const deferred = () => {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((r) => {
    resolve = r;
  });
  return { promise, resolve };
};

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
/** A server that answers every request in its own way; closed after the test. */
async function misbehaving(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const host = createServer(answer);
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    host.close();
    host.closeAllConnections();
  });
  return `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
}

describe('redirects', () => {
  const to = (target: (req: IncomingMessage) => string) =>
    misbehaving((req, res) => res.writeHead(301, { location: target(req) }).end());

  test('to another place of the repository are followed', async () => {
    const url = await to((req) => `${server.url}${req.url?.replace('/old', '/app')}`);
    expect((await analyze(`${url}/old`)).commit).toBe(commits.app);
  });

  test('to another origin do not take the token along', async () => {
    const seen: (string | undefined)[] = [];
    const other = await misbehaving((req, res) => {
      seen.push(req.headers.authorization);
      res.writeHead(404).end();
    });
    const url = await to((req) => `${other}${req.url}`);
    await failure(analyze(`${url}/app`, { gitToken: TOKEN }));
    expect(seen).toEqual([undefined]);
  });

  test('in a circle end', async () => {
    let asked = 0;
    const url = await to((req) => {
      asked += 1;
      return `/x${req.url}`;
    });
    expect((await failure(analyze(`${url}/app`))).code).toBe('GIT_FAILED');
    expect(asked).toBeLessThan(10);
  });

  test.each([
    'file:///etc/info/refs?service=git-upload-pack',
    'ext::sh -c true',
    'gopher://127.0.0.1/x',
    'not a url %',
  ])('to %s are not followed', async (target) => {
    const url = await to(() => target);
    expect((await failure(analyze(`${url}/app`))).code).toBe('GIT_FAILED');
  });

  test('to a private address are refused', async () => {
    // Trusts the first host, which has to be on loopback here, and no other.
    let hosts = 0;
    const policy: GitPolicy = {
      ...LAPTOP_POLICY,
      get allowPrivateAddresses() {
        return hosts === 0;
      },
    };
    const url = await to((req) => {
      hosts += 1;
      return `http://169.254.169.254${req.url}`;
    });
    expect((await failure(analyze(`${url}/app`, { policy }))).code).toBe('GIT_HOST_FORBIDDEN');
  });
});

describe('hosts that misbehave', () => {
  const quick = { ...LAPTOP_POLICY, timeoutMs: 1_000 };

  test('one that stalls', async () => {
    const url = await misbehaving(() => {});
    const started = performance.now();
    const error = await failure(analyze(`${url}/app`, { policy: quick }));
    expect(error.code).toBe('GIT_TIMEOUT');
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('one that drips for ever', async () => {
    const url = await misbehaving((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      const drip = setInterval(() => res.write('001e# service=git-upload-pack\n'), 20);
      res.on('close', () => clearInterval(drip));
    });
    expect(['GIT_TIMEOUT', 'GIT_FAILED', 'REPO_NOT_FOUND']).toContain(
      (await failure(analyze(`${url}/app`, { policy: quick }))).code,
    );
  });

  test.each([
    ['a web page', 'text/html', '<html>hello</html>'],
    ['noise', 'application/x-git-upload-pack-advertisement', '\u0000\u0001\u0002ffffffff'],
    ['a line that is too short', 'application/x-git-upload-pack-advertisement', '0003'],
    ['nothing', 'application/x-git-upload-pack-advertisement', ''],
    ['an escape sequence', 'application/x-git-upload-pack-advertisement', '0020ERR \u001b[31m\u0007 you lose\n'],
  ])('one that answers with %s', async (_what, type, body) => {
    const url = await misbehaving((_req, res) => res.writeHead(200, { 'content-type': type }).end(body));
    const error = await failure(analyze(`${url}/app`, { policy: quick }));
    expect(['GIT_FAILED', 'REPO_NOT_FOUND']).toContain(error.code);
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
  });

  test.each([
    ['no answer', ''],
    ['an answer without a pack', '0000'],
    ['half a packet', '00ffhalf'],
    ['a pack that is none', '000dpackfile\n000c\u0001noise0000'],
    ['a pack that is cut off', '000dpackfile\n0011\u0001PACK\u0000\u0000\u0000\u00020000'],
    ['its last word', '000dpackfile\n0013\u0003no \u001b[31mpack\n0000'],
    ['an error', '0011ERR no luck\n0000'],
  ])('one that has refs, and for the commit: %s', async (_what, body) => {
    const url = await misbehaving(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const asked = Buffer.concat(chunks);
      if (asked.includes('command=fetch')) {
        res.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(Buffer.from(body, 'latin1'));
        return;
      }
      const headers = { 'git-protocol': 'version=2', 'content-type': req.headers['content-type'] ?? '' };
      const answer = await fetch(`${server.url}${req.url}`, {
        method: req.method ?? 'GET',
        headers,
        ...(asked.length > 0 ? { body: asked } : {}),
      });
      res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      res.end(Buffer.from(await answer.arrayBuffer()));
    });
    const error = await failure(analyze(`${url}/app`, { policy: { ...LAPTOP_POLICY, timeoutMs: 3_000 } }));
    expect(error.code).toBe('GIT_FAILED');
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
  });

  test.each([500, 502, 503])('one that answers %i is tried again later', async (status) => {
    const url = await misbehaving((_req, res) => res.writeHead(status).end());
    expect((await failure(analyze(`${url}/app`))).row.fault).toBe('transient');
  });

  test('more than may be read', async () => {
    const { randomBytes } = await import('node:crypto');
    makeRepo(join(repos, 'heavy'), { ...VITE, 'video.mp4': randomBytes(6 * 1024 * 1024) });
    const old = await serve({ filter: false });
    const policy = { ...LAPTOP_POLICY, maxBytes: 1024 * 1024 };
    expect((await failure(analyze(`${old.url}/heavy`, { policy }))).code).toBe('REPO_TOO_LARGE');
    // Where the host filters, the video does not travel.
    expect((await analyze(`${server.url}/heavy`, { policy })).frontend?.framework).toBe('vite');
  });

  test('a caller that gives up', async () => {
    const url = await misbehaving(() => {});
    const signal = AbortSignal.timeout(200);
    const started = performance.now();
    await failure(analyze(`${url}/app`, { signal }));
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe('the machine', () => {
  test('nothing is left in the work folder, whatever the end', async () => {
    const workDir = temporaryFolder();
    await analyze(`${server.url}/app`, { workDir });
    await failure(analyze(`${server.url}/nope`, { workDir }));
    await failure(analyze(`${server.url}/app`, { workDir, path: 'nowhere' }));
    expect(readdirSync(workDir)).toEqual([]);
  });

  test.each(['http', 'file'])('without git: %s', async (scheme) => {
    const path = process.env.PATH;
    process.env.PATH = '/nonexistent';
    try {
      const url = scheme === 'http' ? `${server.url}/app` : `file://${join(repos, 'app')}`;
      expect((await failure(analyze(url))).code).toBe('GIT_MISSING');
    } finally {
      process.env.PATH = path;
    }
  });

  test('in public, loopback is forbidden before anything is sent', async () => {
    const before = server.requests.length;
    const policy = { ...PUBLIC_POLICY, protocols: ['https', 'http'] as const };
    expect((await failure(analyze(`${server.url}/app`, { policy }))).code).toBe('GIT_HOST_FORBIDDEN');
    const rebinding = analyze('http://git.example.com/app', { policy, resolve: async () => ['127.0.0.1'] });
    expect((await failure(rebinding)).code).toBe('GIT_HOST_FORBIDDEN');
    expect(server.requests.length).toBe(before);
  });

  test('git connects to the address that was checked, whatever the name resolves to later', async () => {
    const folder = await makeGitFolder(LAPTOP_POLICY);
    try {
      const url = new URL(`http://no-such-host.invalid:${new URL(server.url).port}/app`);
      const pinned = makeRemote(folder, url, ['127.0.0.1'], undefined).git;
      const limits = { deadline: AbortSignal.timeout(10_000), maxPackBytes: 1e9 };
      const result = await runGit(pinned, ['ls-remote', '--', url.href, 'HEAD'], limits);
      expect(result).toMatchObject({ kind: 'exit', code: 0, stdout: expect.stringContaining(commits.app!) });
    } finally {
      await removeGitFolder(folder);
    }
  });
});
