import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AcceptedSchema, DeploymentListSchema, DeploymentViewSchema } from '../../contract/api.ts';
import { NODE_MAJORS, type NodeMajor } from '../../contract/node-lines.ts';
import { PlanSchema } from '../../contract/plan.ts';
import { VariableListSchema } from '../../contract/project-variables.ts';
import { ReleaseHistorySchema } from '../../contract/releases.ts';
import { eventually } from '../support/eventually.ts';
import { git, makeRepo } from '../support/gitServer.ts';
import { usePlatform } from '../support/veren.ts';
import { type CliOptions, HAS_TERMINAL, useCli } from './cliProcess.ts';

jest.setTimeout(120_000);

const platform = usePlatform();
const cli = useCli();

const major = Number.parseInt(process.versions.node, 10) as NodeMajor;
/** The host's Node where it has a builder, so that none is fetched. */
const SETTINGS = NODE_MAJORS.includes(major) ? { frontend: { nodeVersion: major } } : {};
const PAGE = { 'index.html': '<h1>shown</h1>', 'veren.json': JSON.stringify(SETTINGS) };
/** A build that waits for a file outside, and then fails where the file says so. */
const slowBuild = (gate: string) =>
  `for (;;) { if (require('fs').existsSync(${JSON.stringify(gate)})) process.exit(3); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); }`;

/** Types an answer when a question is shown. */
function answerOnce(question: string, answer: string): NonNullable<CliOptions['onStdout']> {
  let isAnswered = false;
  return (text, child) => {
    if (isAnswered || !text.includes(question)) return;
    isAnswered = true;
    child.stdin?.write(answer);
  };
}

let app: string;
let firstCommit: string;
const context = () => ({ VEREN_URL: platform.veren.url, VEREN_TOKEN: platform.veren.token });
const run = (args: string[], options: Parameters<typeof cli.run>[1] = {}) =>
  cli.run(args, { cwd: app, ...options, env: { ...context(), ...options.env } });

/** A repository whose branch `main` is at a remote on this machine. */
function makePushedRepo(name: string, files: Record<string, string>) {
  const remote = join(platform.folder, `${name}.git`);
  const { path, commit } = makeRepo(join(platform.folder, name), files);
  execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', remote]);
  git(path, ['remote', 'add', 'origin', remote]);
  git(path, ['push', '--quiet', '-u', 'origin', 'main']);
  return { path, commit, remote };
}

beforeAll(() => {
  const made = makePushedRepo('app', PAGE);
  app = made.path;
  firstCommit = made.commit;
});

describe('login and contexts', () => {
  const login = (args: string[], options: Parameters<typeof cli.run>[1] = {}) =>
    cli.run(['login', ...args], { cwd: platform.folder, ...options });

  test('without one: says so, and exits 3', async () => {
    const { code, stdout, stderr } = await cli.run(['ls']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('Run "veren login <address>"');
  });

  test('a token that is not valid is not kept', async () => {
    const { code, stderr } = await login([platform.veren.url], { input: 'wrong-token-of-someone' });
    expect(code).toBe(3);
    expect(stderr).toContain('No valid token');
    expect(stderr).not.toContain('wrong-token-of-someone');
    expect(existsSync(join(cli.folder, 'config'))).toBe(false);
  });

  test('from standard input, for the user alone; then whoami, ls, use, rm', async () => {
    const { url, token } = platform.veren;
    const made = await login([url, '--name', 'one'], { input: `${token}\n` });
    expect(made).toMatchObject({ code: 0, stdout: '' });
    expect(made.stderr).toContain('as laptop (laptop, admin)');
    const file = join(cli.folder, 'config/veren/contexts.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(cli.folder, 'config/veren')).mode & 0o777).toBe(0o700);

    mkdirSync(join(platform.folder, 'beside/.veren'), { recursive: true });
    mkdirSync(join(platform.folder, 'beside/deep'));
    writeFileSync(join(platform.folder, 'beside/.veren/token'), `${token}\n`, { mode: 0o600 });
    const found = await login([url], { cwd: join(platform.folder, 'beside/deep') });
    expect(found.stderr).toContain('The context "laptop" is in use.');
    // The file is named and not copied: the laptop's next token is read from there, too.
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    expect(kept.contexts.laptop).toEqual({ url, tokenFile: join(platform.folder, 'beside/.veren/token') });

    const list = await cli.run(['contexts', 'ls', '--json']);
    expect(JSON.parse(list.stdout).items.map((c: { name: string; current: boolean }) => [c.name, c.current])).toEqual([
      ['one', false],
      ['laptop', true],
    ]);
    expect(list.stdout).not.toContain(token);
    expect((await cli.run(['contexts', 'ls'])).stdout).not.toContain(token);
    expect((await cli.run(['contexts', 'use', 'one'])).code).toBe(0);
    const who = await cli.run(['whoami', '--json']);
    expect(JSON.parse(who.stdout)).toEqual({ context: 'one', url, owner: 'laptop', name: 'laptop', scope: 'admin' });
    expect((await cli.run(['whoami', '--context', 'laptop'])).stdout).toMatch(/^context +laptop$/m);
    expect(await cli.run(['ls', '--context', 'none'])).toMatchObject({ code: 2, stdout: '' });
    expect((await cli.run(['contexts', 'rm', 'one'])).code).toBe(0);
    expect((await cli.run(['contexts', 'rm', 'one'])).code).toBe(2);
    expect((await cli.run(['contexts', 'rm', 'laptop'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain(token);
  });

  test('a platform of a folder above is found without a login', async () => {
    const { port } = new URL(platform.veren.url);
    const found = await cli.run(['whoami'], { cwd: join(platform.folder, 'beside/deep'), env: { PORT: port } });
    expect(found.stdout).toMatch(/^owner +laptop$/m);
    // It keeps its port beside its token.
    expect((await cli.run(['whoami'], { cwd: join(platform.folder, 'data') })).code).toBe(3);
    mkdirSync(join(platform.folder, '.veren'));
    for (const name of ['token', 'port'])
      writeFileSync(join(platform.folder, '.veren', name), readFileSync(join(platform.folder, 'data', name)), {
        mode: 0o600,
      });
    const kept = await cli.run(['whoami'], { cwd: join(platform.folder, 'data') });
    expect(kept.stdout).toMatch(/^owner +laptop$/m);
    rmSync(join(platform.folder, '.veren'), { recursive: true });
  });
});

describe('deploy', () => {
  test('a folder without git, and a repository without a pushed commit: what to do instead', async () => {
    mkdirSync(join(platform.folder, 'plain'));
    // Only an upload can take it: test/cli/uploads.test.ts.
    for (const args of [['analyze'], ['deploy', '--ref', 'main']]) {
      const plain = await run([...args, join(platform.folder, 'plain')]);
      expect(plain).toMatchObject({ code: 2, stdout: '' });
      expect(plain.stderr).toContain('is in no git repository');
      expect(plain.stderr).toContain('--folder');
    }
    expect((await run(['deploy', './nowhere'])).stderr).toContain('there is no folder');

    const ahead = makePushedRepo('ahead', PAGE);
    git(ahead.path, ['commit', '--quiet', '--allow-empty', '-m', 'second']);
    const notPushed = await run(['deploy'], { cwd: ahead.path });
    expect(notPushed).toMatchObject({ code: 2, stdout: '' });
    expect(notPushed.stderr).toContain('git push origin HEAD');

    const empty = join(platform.folder, 'empty');
    execFileSync('git', ['init', '--quiet', empty]);
    expect((await run(['deploy'], { cwd: empty })).stderr).toContain('has no commit yet');
  });

  test('a preview, without a terminal: plain lines on stderr, the address alone on stdout, the id at once', async () => {
    let told = 0;
    appendFileSync(join(app, 'index.html'), ' ');
    const from = Date.now();
    const { code, stdout, stderr } = await run(['deploy', '--project', 'shop', '-e', 'GREETING=hi'], {
      onStderr: (text) => {
        if (/^Deployment \w+ of shop$/m.test(text)) told ||= Date.now() - from;
      },
    });
    git(app, ['checkout', '--quiet', 'index.html']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/\w+--shop\.localhost:\d+\/\n$/);
    expect(stderr).toContain('1 file is changed and not committed');
    expect(stderr).toContain('frontend: fetch done in');
    expect(stderr).not.toContain('\u001b');
    expect(told).toBeGreaterThan(0);
    const { items } = await platform.veren.client.listDeployments({ projectId: 'shop' });
    // The branch, since the remote has it at this commit: it has an address of its own.
    expect(items[0]).toMatchObject({ environment: 'preview', ref: 'main', commit: firstCommit });
    expect(items[0]?.released).toBeUndefined();
  });

  test('link: git ignores the file; then --prod releases, and what is linked needs no name', async () => {
    expect((await run(['link'])).code).toBe(2);
    expect((await run(['link', 'Not A Name'])).code).toBe(2);
    expect((await run(['link', 'shop'])).code).toBe(0);
    expect(JSON.parse(readFileSync(join(app, '.veren-project.json'), 'utf8'))).toEqual({ projectId: 'shop' });
    expect(git(app, ['status', '--porcelain'])).toBe('');

    const { code, stdout, stderr } = await run(['deploy', '--prod']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    // What is served follows the release within a moment.
    await eventually(async () => (await (await fetch(stdout.trim())).text()).includes('shown'));
    expect((await run(['open'])).stdout).toBe(stdout);
    expect((await run(['projects'])).stdout).toMatch(/^shop +live /m);
    expect((await run(['link', '--remove'])).code).toBe(0);
    expect(existsSync(join(app, '.veren-project.json'))).toBe(false);
  });

  test('link --watch: what is committed from then on deploys by itself', async () => {
    const { client } = platform.veren;
    const { path } = makeRepo(join(platform.folder, 'watched'), PAGE);
    const { url, token } = platform.veren;
    const created = await fetch(`${url}/projects/watched`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: '{}',
    });
    expect(created.status).toBe(201);
    const { code, stdout, stderr } = await run(['link', 'watched', '--watch', '--json'], { cwd: path });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const { href } = pathToFileURL(path);
    expect(JSON.parse(stdout)).toMatchObject({ projectId: 'watched', watched: href });
    const { settings } = await client.getProject('watched');
    expect(settings).toMatchObject({ productionBranch: 'main', connection: { host: 'git', watch: true } });
    await eventually(async () => (await client.listDeployments({ projectId: 'watched' })).items[0]);
    // A connection that is there keeps what it is.
    await client.changeProject('watched', { connection: { productionTags: 'v*' } });
    expect((await run(['link', '--watch'], { cwd: path })).stderr).toContain('by itself from now on');
    expect((await client.getProject('watched')).settings.connection).toEqual({
      ...{ host: 'git', repository: 'watched', watch: true, productionTags: 'v*' },
    });
  });

  test('link --watch: a folder that was deployed before, whose production branch nobody has set', async () => {
    const { path } = makeRepo(join(platform.folder, 'deployed'), PAGE);
    await run(['deploy', '--no-wait'], { cwd: path });
    expect(await run(['link', '--watch'], { cwd: path })).toMatchObject({ code: 0 });
    const { settings } = await platform.veren.client.getProject('deployed');
    expect(settings).toMatchObject({ gitUrl: pathToFileURL(path).href, productionBranch: 'main' });
  });

  test('a link that came with the repository is not followed', async () => {
    const foreign = makePushedRepo('foreign', { ...PAGE, '.veren-project.json': '{"projectId":"shop"}' });
    const { code, stderr } = await run(['deploy', '--prod'], { cwd: foreign.path });
    expect({ code, named: stderr.includes('has chosen the project "shop"') }).toEqual({ code: 2, named: true });
  });

  test("a project of another repository is not taken for one's own", async () => {
    const other = makePushedRepo('other/shop', PAGE);
    const { code, stderr } = await run(['deploy', other.remote.replace(/^/, 'file://')]);
    expect(code).toBe(2);
    expect(stderr).toContain('there is a project "shop"');
  });

  test('--no-wait and --json', async () => {
    const accepted = await run(['deploy', '--project', 'shop', '--no-wait', '--json', '--force']);
    expect(accepted.code).toBe(0);
    const { deploymentId } = AcceptedSchema.parse(JSON.parse(accepted.stdout));
    const followed = await run(['logs', '-f', deploymentId, '--json']);
    expect(followed.code).toBe(0);
    expect(
      followed.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).line),
    ).toContainEqual(expect.stringContaining('Fetching commit'));
    const read = await run(['logs', deploymentId]);
    expect(read.stdout).toContain('Fetching commit');
    const shown = await run(['inspect', deploymentId]);
    expect(shown.stdout).toMatch(/^ {2}status +succeeded$/m);
    const view = DeploymentViewSchema.parse(JSON.parse((await run(['inspect', deploymentId, '--json'])).stdout));
    expect(view.deploymentId).toBe(deploymentId);
    const list = DeploymentListSchema.parse(JSON.parse((await run(['ls', 'shop', '--json', '-n', '2'])).stdout));
    expect(list.items.map((d) => d.deploymentId)[0]).toBe(deploymentId);
    expect(list.items).toHaveLength(2);
    expect((await run(['ls', '--all'])).stdout).toContain(deploymentId);
    expect((await run(['cancel', deploymentId])).code).toBe(2);
  });

  test('a failed build exits 1, with the reason; Ctrl-C leaves it running and says how to cancel it', async () => {
    const gate = join(platform.folder, 'gate');
    const slow = makePushedRepo('slow', {
      ...PAGE,
      'package.json': JSON.stringify({ name: 'slow', scripts: { build: 'node wait.cjs' } }),
      'wait.cjs': slowBuild(gate),
    });
    const inSlow = (args: string[], options = {}) =>
      run([...args, '--project', 'slow'], { cwd: slow.path, ...options });
    let sent = false;
    const left = await inSlow(['deploy'], {
      onStderr: (text: string, child: { kill(signal: NodeJS.Signals): boolean }) => {
        if (!sent && text.includes('build begins')) sent = child.kill('SIGINT');
      },
    });
    expect({ code: left.code, stdout: left.stdout }).toEqual({ code: 130, stdout: '' });
    const [, id = ''] = /goes on\. To cancel it: veren cancel (\w+)/.exec(left.stderr) ?? [];
    expect((await platform.veren.client.getDeployment(id)).status).toBe('building');
    const canceled = await run(['cancel', id]);
    expect(canceled).toMatchObject({ code: 0, stdout: `${id}\n` });
    expect((await run(['logs', '-f', id])).code).toBe(1);

    writeFileSync(gate, '');
    const again = await inSlow(['redeploy', id]);
    expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 1, stdout: '' });
    expect(again.stderr).toContain('exit code 3');
    const asJson = await inSlow(['redeploy', id, '--json', '--drop-cache']);
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ status: 'failed', error: { code: 'BUILD_FAILED' } });
  });

  (HAS_TERMINAL ? test : test.skip)('on a terminal (`script` of util-linux): phases that are redrawn', async () => {
    const { code, stdout } = await cli.runOnTerminal(['deploy', '--project', 'shop', '--force'], {
      cwd: app,
      env: { ...context(), TERM: 'xterm' },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\u001b\[\d+A\u001b\[J/);
    expect(stdout).toContain('✓ publish');
    expect(stdout).toMatch(/http:\/\/\w+--shop\.localhost:\d+\/\r\n$/);
  });

  (HAS_TERMINAL ? test : test.skip)('on a terminal: asks for the project and for the token', async () => {
    const chosen = await cli.runOnTerminal(['link'], {
      cwd: app,
      env: { ...context(), TERM: 'xterm' },
      onStdout: answerOnce('Which project is this folder?', '\r'),
    });
    expect({ code: chosen.code, stdout: chosen.code === 0 ? '' : chosen.stdout }).toEqual({ code: 0, stdout: '' });
    expect(chosen.stdout).toMatch(/Linked to [a-z0-9-]+ \(/);
    const { url, token } = platform.veren;
    const asked = { cwd: platform.folder, env: { TERM: 'xterm' } };
    const given = await cli.runOnTerminal(['login', url, '--name', 'typed'], {
      ...asked,
      onStdout: answerOnce('Token for', `${token}\r`),
    });
    expect(given.stdout).toContain('Logged in to');
    expect(given.stdout).not.toContain(token);
    const left = await cli.runOnTerminal(['login', url], { ...asked, onStdout: answerOnce('Token for', '\u0003') });
    expect(left.code).toBe(130);
    expect((await run(['link', 'shop'])).code).toBe(0);
    expect((await cli.run(['contexts', 'rm', 'typed'])).code).toBe(0);
  });

  (HAS_TERMINAL ? test : test.skip)('on a terminal: the browser is opened, without our token', async () => {
    const programs = join(platform.folder, 'programs');
    mkdirSync(programs);
    const seen = join(platform.folder, 'opened');
    writeFileSync(join(programs, 'xdg-open'), `#!/bin/sh\n{ echo "$@"; env; } >${seen}.new; mv ${seen}.new ${seen}\n`, {
      mode: 0o755,
    });
    const env = { ...context(), TERM: 'xterm', PATH: `${programs}:${process.env.PATH}` };
    expect((await cli.runOnTerminal(['open', '--project', 'shop'], { env })).code).toBe(0);
    for (let looks = 0; !existsSync(seen) && looks < 100; looks++) await new Promise((r) => setTimeout(r, 50));
    const opened = readFileSync(seen, 'utf8');
    expect(opened).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(opened).not.toContain(platform.veren.token);
  });
});

describe('releases', () => {
  test('promote, rollback, pin, unpin', async () => {
    const { items } = await platform.veren.client.listDeployments({ projectId: 'shop' });
    const live = items.find((d) => d.released)?.deploymentId;
    const preview = items.find((d) => d.status === 'succeeded' && !d.released)?.deploymentId as string;
    const promoted = await run(['promote', preview, '--reason', 'it is better']);
    expect(promoted).toMatchObject({ code: 0, stdout: `${preview}\n` });
    const back = ReleaseHistorySchema.parse(
      JSON.parse((await run(['rollback', '--project', 'shop', '--json'])).stdout),
    );
    expect(back.release).toMatchObject({ deploymentId: live, kind: 'rollback' });
    expect(back.releases[1]).toMatchObject({ deploymentId: preview, reason: 'it is better' });

    expect((await run(['pin', 'shop'])).code).toBe(0);
    expect((await platform.veren.client.getProject('shop')).pinned).not.toBeNull();
    const kept = await run(['deploy', '--project', 'shop', '--prod', '--force']);
    expect(kept.code).toBe(0);
    expect(kept.stdout).toMatch(/--shop\.localhost/);
    expect(kept.stderr).toContain('Not released: shop is pinned.');
    expect((await run(['unpin', '--project', 'shop'])).code).toBe(0);
    expect((await platform.veren.client.getProject('shop')).pinned).toBeNull();
    expect((await run(['promote', 'nothing'])).code).toBe(2);
    expect((await run(['rollback', '--project', 'nothing'])).code).toBe(2);
  });
});

describe('variables', () => {
  const shop = (args: string[], options = {}) => run(['env', ...args, '--project', 'shop'], options);

  test('set from arguments, standard input and a file; ls, pull, rm', async () => {
    expect((await shop(['set', 'PLAIN=a b', 'QUOTED=it\'s "x"'])).code).toBe(0);
    expect((await shop(['set', 'KEY', '--secret', '--seen-by', 'build'], { input: 'hidden-value\n' })).code).toBe(0);
    writeFileSync(join(app, 'some.env'), 'FROM_FILE=1\n# comment\nMULTI="a\nb"\n');
    expect((await shop(['set', '--file', 'some.env', '-t', 'production'])).code).toBe(0);
    const listed = await shop(['ls']);
    expect(listed.stdout).toMatch(/^KEY +\(secret\) +production,preview +build /m);
    expect(listed.stdout).not.toContain('hidden-value');
    const production = VariableListSchema.parse(JSON.parse((await shop(['ls', '-t', 'production', '--json'])).stdout));
    expect(production.items.map((v) => v.name).toSorted()).toEqual(['FROM_FILE', 'KEY', 'MULTI', 'PLAIN', 'QUOTED']);

    const victim = join(platform.folder, 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, join(app, '.env.local'));
    expect((await shop(['pull'])).code).toBe(2);
    const pulled = await shop(['pull', '--force']);
    expect(pulled.code).toBe(0);
    expect(pulled.stderr).toContain('git does not ignore this file');
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    const text = readFileSync(join(app, '.env.local'), 'utf8');
    expect(text).toContain("PLAIN='a b'\n");
    expect(text).toContain('QUOTED=`it\'s "x"`\n');
    expect(text).toContain('# KEY=');
    expect(text).not.toMatch(/FROM_FILE|hidden/);
    expect(statSync(join(app, '.env.local')).mode & 0o777).toBe(0o600);

    expect((await shop(['rm', 'PLAIN'])).code).toBe(0);
    expect((await shop(['rm', 'PLAIN'])).code).toBe(2);
    const reserved = await shop(['set', 'AWS_X=1']);
    expect(reserved.code).toBe(2);
    expect(reserved.stderr).toContain('reserved');
    expect((await shop(['set', 'A=1', 'B'])).code).toBe(2);
  });
});

describe('account and project', () => {
  test('tokens: made, limited, listed, revoked', async () => {
    const made = await run(['tokens', 'create', 'ci', '--scope', 'read', '--project', 'shop', '--days', '3']);
    expect(made.code).toBe(0);
    const token = made.stdout.trim();
    expect(made.stderr).not.toContain(token);
    const asCi = (args: string[]) => run(args, { env: { VEREN_TOKEN: token } });
    const who = JSON.parse((await asCi(['whoami', '--json'])).stdout);
    expect(who).toMatchObject({ name: 'ci', scope: 'read', projects: ['shop'] });
    const refused = await asCi(['deploy', '--project', 'shop']);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('it needs the scope "deploy"');
    expect((await run(['tokens', 'ls'])).stdout).toMatch(new RegExp(`^${who.tokenId} +ci +read +shop `, 'm'));
    expect((await run(['tokens', 'revoke', who.tokenId])).code).toBe(0);
    expect((await asCi(['ls'])).code).toBe(3);
    expect((await run(['tokens', 'revoke', who.tokenId])).code).toBe(2);
    const wrong = await run(['tokens', 'create', 'x', '--scope', 'all']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });

  test('domains', async () => {
    const domain = (args: string[]) => run(['domains', ...args, '--project', 'shop']);
    expect((await domain(['add', 'www.shop.example'])).stdout).toMatch(/^www\.shop\.example: /);
    expect((await domain(['ls'])).stdout).toMatch(/^www\.shop\.example /m);
    expect((await domain(['rm', 'www.shop.example'])).code).toBe(0);
    expect((await domain(['ls', '--json'])).stdout).toContain('"domains": []');
    expect((await domain(['add', 'nodots'])).code).toBe(2);
  });

  test('analyze: the plan with its evidence; a repository that cannot be built exits 1', async () => {
    const told = await run(['analyze']);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/^frontend +framework +none +index\.html/m);
    expect(PlanSchema.parse(JSON.parse((await run(['analyze', '--json'])).stdout)).commit).toBe(firstCommit);
    const missing = await run(['analyze', '--ref', 'no-such-branch']);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('no-such-branch');
  });

  test('errors as JSON have code, sentence and exit code', async () => {
    const { code, stdout, stderr } = await run(['inspect', 'nothing', '--json']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'NOT_FOUND', status: 404, exitCode: 2 } });
  });
});
