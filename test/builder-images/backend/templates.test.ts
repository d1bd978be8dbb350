import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { renderDockerfile } from '../../../builder-images/build-image-backend/utils/dockerfile.ts';
import { buildVariables } from '../../../builder-images/build-image-backend/utils/variables.ts';
import { NODE_MAJORS } from '../../../contract/builders.ts';
import { ROOT } from '../harness.ts';

const TEMPLATES = join(ROOT, 'builder-images/build-image-backend/dockerbackend');
const template = (major: number) => readFileSync(join(TEMPLATES, `Dockerfile_node${major}`, 'Dockerfile'), 'utf8');

describe('templates', () => {
  test('there is one for every Node major, and they differ in their base images alone', () => {
    const folders = readdirSync(TEMPLATES).filter((name) => name.startsWith('Dockerfile_'));
    expect(folders.sort()).toEqual(NODE_MAJORS.map((major) => `Dockerfile_node${major}`).sort());
    const general = (major: number) =>
      template(major)
        .replaceAll(new RegExp(`node:${major}-(?:bullseye|bookworm)`, 'g'), 'node:N')
        .replaceAll(`Node ${major} `, 'Node N ');
    for (const major of NODE_MAJORS) expect(general(major)).toBe(general(20));
  });

  test.each(NODE_MAJORS)('Node %i: nothing of the user’s is run by root, and the result runs nothing', (major) => {
    const [, nothing, first, second] = template(major)
      .replaceAll('\\\n', '')
      .split(/^FROM /m) as [string, string, string, string];
    expect(nothing).toMatch(/^scratch AS nothing\nCOPY veren\/init \/\n*$/);
    const lines = first.split('\n');
    const user = lines.indexOf('USER node');
    for (const [i, line] of lines.entries())
      if (/\/opt\/veren\/run |COPY --chown/.test(line)) expect(i).toBeGreaterThan(user);
    expect(lines.filter((line) => line.startsWith('USER'))).toEqual(['USER node']);
    expect(second).not.toMatch(/^RUN/m);
    expect(second).toMatch(/^USER node$/m);
    expect(second).toMatch(/NODE_ENV=production/);
  });

  test('a start command stays one instruction, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 }), async (argv) => {
        const rendered = await renderDockerfile(TEMPLATES, 20, argv);
        const lines = rendered.trimEnd().split(/\r?\n/);
        expect(lines.length).toBe(template(20).trimEnd().split('\n').length + 1);
        expect(JSON.parse(lines.at(-1)!.replace(/^CMD /, ''))).toEqual(argv);
      }),
      { numRuns: 100 },
    );
  });
});

describe('variables', () => {
  const job = { DEPLOYMENTID: 'd', PROJECT_ID: 'p', GIT_COMMIT: 'c' };
  test('a shell reads them as they were given', () => {
    const name = fc
      .stringMatching(/^[A-Z_][A-Z0-9_]{2,10}$/)
      .filter(
        (n) => !/^(?:PATH|IFS|UID|EUID|PPID|BASH|SHELLOPTS|OPTIND|HOME|PWD|OLDPWD|SHLVL|PS\d|ENV|LC_|LANG)/.test(n),
      );
    const value = fc.string({ unit: 'binary' }).filter((v) => !v.includes('\0') && Buffer.from(v).toString() === v);
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 4 }), (BUILD_ENV) => {
        const { script } = buildVariables({}, { ...job, BUILD_ENV });
        const seen = execFileSync('/bin/sh', ['-c', `${script}env -0`], { env: { PATH: process.env.PATH } })
          .toString('utf8')
          .split('\0');
        for (const [k, v] of Object.entries(BUILD_ENV)) expect(seen).toContain(`${k}=${v}`);
      }),
      { numRuns: 40 },
    );
  });

  test('the fingerprint follows the user’s variables and nothing else', () => {
    const of = (BUILD_ENV: Record<string, string>, more = {}) =>
      buildVariables(more, { ...job, BUILD_ENV }).fingerprint;
    expect(of({ A: '1', B: '2' })).toBe(of({ B: '2', A: '1' }, { HTTP_PROXY: 'x' }));
    expect(of({ A: '1' })).not.toBe(of({ A: '2' }));
    expect(buildVariables({}, { ...job, DEPLOYMENTID: 'e', BUILD_ENV: {} }).fingerprint).toBe(of({}));
  });
});

describe('init', () => {
  const init = (...argv: string[]) => spawn(join(TEMPLATES, 'init'), argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = (child: ReturnType<typeof init>) =>
    new Promise<number | null>((done) => child.on('close', (code, signal) => done(code ?? (signal ? -1 : null))));

  test('hands a signal on to the whole command and ends with its exit code', async () => {
    const child = init('sh', '-c', 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done');
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    while (!output.includes('ready')) await sleep(10);
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(7);
    expect(output).toContain('bye');
  });

  test('a command behind a shell is reached, and one without a handler ends', async () => {
    const child = init('sh', '-c', 'echo ready && sleep 30; exit 3');
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const started = performance.now();
    child.kill('SIGTERM');
    expect(await ended(child)).toBe(143);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a command that ends by itself ends it', async () => {
    expect(await ended(init('sh', '-c', 'exit 5'))).toBe(5);
    expect(await ended(init('/does/not/exist'))).toBe(127);
  });
});
