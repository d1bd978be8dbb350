import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ManifestSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import { useWorld } from './bundle.ts';
import { deploymentId, repository } from './harness.ts';

/** The builder's entry point, run as a task would run it, against the laptop's S3 and Kafka endpoints. */
const world = useWorld();
const repo = (name: string, files: Parameters<typeof repository>[1]) => ({
  projectId: name,
  ...repository(join(world().dir, 'repos', name), files),
});

test('a page without a build step is published as it is, without what is not meant for visitors', async () => {
  const source = repo('static', {
    'index.html': '<p>hi',
    'a/style.css': 'p{}',
    '.well-known/security.txt': 'Contact: x',
    '.env': 'SECRET=1',
    '.github/workflows/x.yml': 'on: push',
    'node_modules/left/index.js': '1',
  });
  const built = await world().build(source);
  expect(JSON.parse(built.output)).toMatchObject({
    level: 'INFO',
    message: 'The build was published',
    function: 'builder',
    projectId: 'static',
    target: 'frontend',
    attempt: 1,
    artifact: '3 files',
  });
  expect(built.code).toBe(0);
  expect(await world().site('static')).toEqual(['.well-known/security.txt', 'a/style.css', 'index.html']);

  const page = await world().page('static', 'index.html');
  expect([page.text, page.ContentType, page.CacheControl]).toEqual([
    '<p>hi',
    'text/html; charset=utf-8',
    'public, max-age=0, must-revalidate',
  ]);
  const phases = built.events.map((e) => (e.type === 'build.phase' ? `${e.phase} ${e.state} ${e.ok ?? ''}` : e.type));
  expect(phases).toEqual([
    'fetch started ',
    'fetch finished true',
    'install started ',
    'install finished true',
    'build started ',
    'build finished true',
    'publish started ',
    'publish finished true',
    'build.succeeded',
  ]);
  const times = built.events.map((e) => Date.parse(e.at));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(built.last).toMatchObject({
    type: 'build.succeeded',
    artifact: { kind: 'static', prefix: '__outputs/static/', files: 3, bytes: 18 },
    logLines: built.lines.length,
  });
  const manifest = ManifestSchema.parse(
    JSON.parse((await world().object(s3Keys.deploymentManifest('static', built.id))).text),
  );
  expect(manifest).toMatchObject({ files: 3, bytes: 18, commit: source.commit });
});

test('install and build run in their folders; the output folder is published, hashed names for ever', async () => {
  const bundle = `console.log(${JSON.stringify('x'.repeat(40_000))})`;
  const source = repo('built', {
    'package.json': '{}',
    'web/make.sh': {
      script: `mkdir -p dist/assets && cp template.html dist/index.html && cp big.js dist/assets/index-BXl3k9aQ.js && pwd`,
    },
    'web/template.html': '<script src=/assets/index-BXl3k9aQ.js>',
    'web/big.js': bundle,
  });
  const built = await world().build(source, {
    INSTALLCOMMAND: 'ls > installed.txt && echo to-stderr >&2',
    FRONTENDPATH: 'web',
    BUILDCOMMAND: 'cat ../installed.txt && ./make.sh',
    OUTPUT_DIR: 'dist',
  });
  expect(built.code).toBe(0);
  expect(await world().site('built')).toEqual([
    'assets/index-BXl3k9aQ.js',
    'assets/index-BXl3k9aQ.js.br',
    'assets/index-BXl3k9aQ.js.gz',
    'index.html',
  ]);
  const asset = await world().page('built', 'assets/index-BXl3k9aQ.js');
  expect([asset.text, asset.CacheControl]).toEqual([bundle, 'public, max-age=31536000, immutable']);
  const brotli = await world().page('built', 'assets/index-BXl3k9aQ.js.br');
  expect([brotli.ContentEncoding, brotli.ContentType]).toEqual(['br', 'text/javascript; charset=utf-8']);
  expect(built.last).toMatchObject({ artifact: { files: 2, bytes: bundle.length + 38 } });
  expect(built.lines.find((line) => line.line === 'to-stderr')?.stream).toBe('stdout');
  expect(built.log).toContain('\n$ cat ../installed.txt && ./make.sh\n');
  expect(built.lines.map((line) => line.n)).toEqual(built.lines.map((_, i) => i));
});

test('time and memory of a command are told', async () => {
  const source = repo('measured', { 'index.html': 'x' });
  const hold = `node -e "const b = Buffer.alloc(200e6, 1); setTimeout(() => b, 1500)"`;
  const built = await world().build(source, { BUILDCOMMAND: hold });
  const [, seconds, , memory] = /Exit code 0 after ([\d.]+) s(, up to (\d+) MB)?/.exec(built.log) ?? [];
  expect(Number(seconds)).toBeGreaterThanOrEqual(1.5);
  if (process.platform === 'linux') expect(Number(memory)).toBeGreaterThan(190);
});

test('commands see an allowlisted environment; what is secret is masked however it is printed', async () => {
  const source = repo('env', {
    'print.sh': {
      script: [
        'env | sort > seen.txt',
        'cat seen.txt',
        'up=$(sed -n "s/^PPid:\\s*//p" /proc/$PPID/status 2>/dev/null)',
        'cat /proc/$up/environ 2>/dev/null | tr "\\0" "\\n" > parent.txt; cat parent.txt',
        'printf "%s" "$API_TOKEN" | cut -c1-6 | tr -d "\\n"; sleep 0.2; printf "%s\\n" "$API_TOKEN" | cut -c7-',
        'mkdir out && cp seen.txt parent.txt out/',
      ].join('\n'),
    },
  });
  const token = 'tok_1234567890abcdef';
  const built = await world().build(source, {
    BUILDCOMMAND: 'sh ./print.sh',
    OUTPUT_DIR: 'out',
    BUILD_ENV: JSON.stringify({ API_TOKEN: token, NODE_ENV: 'production' }),
    GIT_TOKEN: 'ghp_0123456789abcdef',
    KAFKA_PASSWORD: 'kafka-password-1',
    SOMETHING_ELSE: 'of the task runner',
  });
  expect(built.code).toBe(0);
  const seen = (await world().page('env', 'seen.txt')).text;
  const names = seen.split('\n').map((line) => line.split('=')[0]);
  expect(names.filter((name) => /^(AWS_|KAFKA_|GIT_|SOMETHING)/.test(name!))).toEqual([]);
  expect(seen).toContain(`API_TOKEN=${token}`);
  expect(seen).toMatch(/^CI=true$/m);
  expect(seen).toContain(`VEREN_GIT_COMMIT=${source.commit}`);
  const parent = (await world().page('env', 'parent.txt')).text;
  if (process.platform === 'linux') {
    expect(parent).toContain('VEREN_HANDOVER=3');
    expect(parent).toMatch(/^HOME=\/dev\/null$/m);
  }
  const secrets = [built.env.AWS_SECRET_ACCESS_KEY!, built.env.AWS_SESSION_TOKEN!, 'ghp_0123', 'kafka-password-1'];
  for (const secret of secrets) for (const text of [seen, parent, built.log]) expect(text).not.toContain(secret);
  expect(built.log).not.toContain(token);
  expect(built.log).toContain('API_TOKEN=***');
  expect(built.lines.filter((line) => line.line === '***')).toHaveLength(1);
});

describe('failures', () => {
  const page = { 'index.html': 'x' };
  test.each([
    [
      'a failing install',
      page,
      { INSTALLCOMMAND: 'echo one; echo two >&2; exit 7' },
      21,
      'INSTALL_FAILED',
      'install',
      { exitCode: 7, lastLines: ['one', 'two'] },
    ],
    [
      'a failing build',
      page,
      { INSTALLCOMMAND: 'echo fine', BUILDCOMMAND: 'echo bad; exit 3' },
      22,
      'BUILD_FAILED',
      'build',
      { exitCode: 3, lastLines: ['bad'] },
    ],
    [
      'a command that does not exist',
      page,
      { BUILDCOMMAND: 'no-such-command' },
      22,
      'BUILD_FAILED',
      'build',
      { exitCode: 127 },
    ],
    ['a build that the kernel kills', page, { BUILDCOMMAND: 'kill -9 $$' }, 137, 'BUILD_OUT_OF_MEMORY', 'build', {}],
    [
      'a heap that is full',
      page,
      { BUILDCOMMAND: 'echo "FATAL ERROR: JavaScript heap out of memory"; exit 134' },
      137,
      'BUILD_OUT_OF_MEMORY',
      'build',
      {},
    ],
    [
      'a disk that is full',
      page,
      { BUILDCOMMAND: 'echo "npm error nospc ENOSPC: no space left on device, write" >&2; exit 228' },
      37,
      'BUILD_DISK_FULL',
      'build',
      {},
    ],
    ['no output folder', page, { BUILDCOMMAND: 'true', OUTPUT_DIR: 'dist' }, 23, 'OUTPUT_MISSING', 'publish', {}],
    [
      'an empty output folder',
      page,
      { BUILDCOMMAND: 'mkdir -p dist/a', OUTPUT_DIR: 'dist' },
      24,
      'OUTPUT_EMPTY',
      'publish',
      {},
    ],
    [
      'a link out of the output',
      { ...page, passwd: { link: '/etc/passwd' } },
      {},
      25,
      'OUTPUT_REJECTED',
      'publish',
      {},
    ],
    ['too many files', { ...page, b: 'b' }, { MAX_OUTPUT_FILES: '1' }, 26, 'OUTPUT_TOO_LARGE', 'publish', {}],
    [
      'a build that takes too long',
      page,
      { BUILDCOMMAND: 'echo begun; sleep 60', BUILD_TIMEOUT: '1' },
      27,
      'BUILD_TIMEOUT',
      'build',
      {},
    ],
    [
      'a commit that does not exist',
      page,
      { GIT_COMMIT: 'f'.repeat(40) },
      20,
      'FETCH_FAILED',
      'fetch',
      { exitCode: expect.any(Number) },
    ],
    ['a folder that does not exist', page, { FRONTENDPATH: 'nowhere' }, 28, 'PATH_NOT_FOUND', 'build', {}],
  ])('%s', async (name, files, env, code, error, phase, more) => {
    const id = name.replaceAll(' ', '-');
    const built = await world().build(repo(id, files), env as unknown as Record<string, string>);
    expect(built.last).toMatchObject({ type: 'build.failed', error: { code: error, phase, ...more } });
    expect(built.code).toBe(code);
    expect(built.events.at(-2)).toMatchObject({ type: 'build.phase', phase, state: 'finished', ok: false });
    expect(await world().site(id)).toEqual([]);
  });

  test('a wrong environment names every fault and no value', async () => {
    const env = world().environment({ ...repo('wrong', page), deploymentId: deploymentId() });
    const { BUCKET: _, ...rest } = env;
    const wrong = { ...rest, BUILD_ENV: '{"password":"hunter2hunter2"', ATTEMPT: 'two' };
    const { code, output } = await world().task(wrong).ended;
    expect(code).toBe(31);
    expect(output).toMatch(/BUCKET is missing/);
    expect(output).toMatch(/ATTEMPT: must be a positive number/);
    expect(output).toMatch(/BUILD_ENV must be a JSON object/);
    expect(output).not.toContain('hunter2');
    const { VEREN_SCRIPT: __, ...less } = env;
    expect(await world().task(less).ended).toMatchObject({
      code: 31,
      output: expect.stringMatching(/VEREN_SCRIPT/),
    });
  });

  test('stopped in the middle of the build: told so, nothing published, nobody left', async () => {
    const id = deploymentId();
    const marker = `9${String(Date.now()).slice(-6)}`;
    const task = world().task({
      ...world().environment({ ...repo('stopped', page), deploymentId: id }),
      BUILDCOMMAND: `trap '' TERM; echo begun; (setsid sleep ${marker} &); while :; do sleep 0.1; done`,
    });
    while (!world().told(id).log.includes('\nbegun')) await new Promise((done) => setTimeout(done, 50));
    task.child.kill('SIGTERM');
    expect((await task.ended).code).toBe(143);
    expect(world().told(id).last).toMatchObject({
      type: 'build.failed',
      error: { code: 'BUILD_STOPPED', phase: 'build' },
    });
    expect(await world().site('stopped')).toEqual([]);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(`sleep ${marker}`);
  });
});
