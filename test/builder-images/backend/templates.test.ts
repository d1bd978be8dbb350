import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { renderDockerfile } from '../../../builder-images/build-image-backend/utils/dockerfile.ts';
import { buildVariables } from '../../../builder-images/build-image-backend/utils/variables.ts';
import { NODE_MAJORS } from '../../../contract/node-lines.ts';
import { RUNTIME_NAMES, RUNTIMES } from '../../../contract/runtimes.ts';
import { ROOT } from '../harness.ts';

const TEMPLATES = join(ROOT, 'builder-images/build-image-backend/dockerbackend');
const template = (major: number) => readFileSync(join(TEMPLATES, `Dockerfile_node${major}`, 'Dockerfile'), 'utf8');

describe('templates', () => {
  test('there is one for every Node major, and they differ in their base images alone', () => {
    const folders = readdirSync(TEMPLATES).filter((name) => name.startsWith('Dockerfile_'));
    const languages = RUNTIME_NAMES.filter((name) => name !== 'node' && RUNTIMES[name].targets.includes('backend'));
    const named = [...NODE_MAJORS.map((major) => `node${major}`), ...languages].map((name) => `Dockerfile_${name}`);
    expect(folders.sort()).toEqual(named.sort());
    for (const name of ['node', ...languages] as const)
      for (const version of RUNTIMES[name].versions ?? [])
        for (const file of RUNTIMES[name].builderFiles)
          expect(existsSync(join(ROOT, 'builder-images', file.replace('{version}', version)))).toBe(true);
    const general = (major: number) =>
      template(major)
        .replaceAll(new RegExp(`node:${major}-(?:bullseye|bookworm)`, 'g'), 'node:N')
        .replaceAll(`Node ${major} `, 'Node N ');
    for (const major of NODE_MAJORS) expect(general(major)).toBe(general(20));
  });

  /** Stages of a template as lists of instructions, one line each. */
  const stagesOf = (text: string) =>
    text
      .replaceAll('\\\n', ' ')
      .replaceAll(/^#.*\n/gm, '')
      .split(/^(?=FROM )/m)
      .map((stage) => stage.split('\n').filter((line) => line.trim() !== ''))
      .filter((stage) => stage[0]?.startsWith('FROM '));
  const stages = (major: number) => stagesOf(template(major));

  test.each(NODE_MAJORS)('Node %i: root copies and makes nothing below a folder that the steps own', (major) => {
    const [, build, last] = stages(major) as [string[], string[], string[]];
    // Whoever runs a step has made what `run` gave it: the application, its home, its package manager, temporary files.
    for (const line of build.filter((l) => /^(?:COPY|ADD) /.test(l)))
      expect(line).toMatch(/ \/opt\/veren\/(?:manifests\/|source\/|history\/)?$/);
    expect(build.join('\n')).not.toMatch(/^(?:WORKDIR|USER|VOLUME|ADD) /m);
    for (const line of build.filter((l) => l.startsWith('RUN ')))
      expect(line).toMatch(/^RUN (?:--mount=\S+ +)+\/opt\/veren\/run (?:install|build|prune)$/);
    expect(last.filter((l) => /^(?:RUN|ADD|VOLUME) /.test(l))).toEqual([]);
    const files = last.filter((l) => /^(?:COPY|WORKDIR) /.test(l));
    expect(files).toEqual([
      'COPY --from=init /init /opt/veren/init',
      // Root's own, of the base image: see the test of `run` below.
      'COPY --from=build /opt/veren/system /',
      'COPY --from=build /opt/veren/runtime /opt/veren/tools',
      'COPY --from=build --chown=node:node /app /app',
      `WORKDIR /app/\${SERVICE_PATH}`,
    ]);
    expect(last).toContain('USER node');
    expect(last.join('\n')).toMatch(/NODE_ENV=production/);
  });

  test.each(NODE_MAJORS)('Node %i: every stage is used by a later one, and the first begins with nothing', (major) => {
    const all = stages(major);
    expect(all[0]![0]).toBe('FROM scratch AS init');
    const names = all.slice(0, -1).map(([from]) => / AS (\w+)$/.exec(from!)![1]!);
    for (const [i, name] of names.entries())
      expect(
        all
          .slice(i + 1)
          .flat()
          .some((line) => line.startsWith(`COPY --from=${name} `)),
      ).toBe(true);
  });

  test.each(NODE_MAJORS)('Node %i: all that a step has written of what a cache may keep is one layer', (major) => {
    const [, build] = stages(major) as [string[], string[]];
    const runs = build.flatMap((line, i) => (line.startsWith('RUN ') ? [i] : []));
    const unique = build.findIndex((line) => line.startsWith('ARG UNIQUE'));
    expect(runs.filter((i) => i < unique)).toHaveLength(1);
  });

  test.each(['python', 'go'])('%s: the rules of Node’s templates', (language) => {
    const text = readFileSync(join(TEMPLATES, `Dockerfile_${language}`, 'Dockerfile'), 'utf8');
    const all = stagesOf(text);
    expect(all.map(([from]) => from!.replace(/\S+:\S+/, 'base'))).toEqual([
      'FROM scratch AS init',
      'FROM base AS build',
      'FROM base',
    ]);
    const [, build, last] = all as [string[], string[], string[]];
    for (const line of build.filter((l) => /^(?:COPY|ADD) /.test(l)))
      expect(line).toMatch(/ \/opt\/veren\/(?:manifests\/|source\/|history\/)?$/);
    expect(build.join('\n')).not.toMatch(/^(?:WORKDIR|USER|VOLUME|ADD|ENV) /m);
    const [account, ...steps] = build.filter((l) => l.startsWith('RUN '));
    // The only one that is not of `run`: an account of the base image's own tools, before anything of the user's is there.
    expect(account).toBe(
      'RUN ["/usr/sbin/useradd", "--uid", "1000", "--user-group", "--create-home", "--shell", "/bin/bash", "node"]',
    );
    expect(build.indexOf(account!)).toBe(1);
    for (const line of steps) expect(line).toMatch(/^RUN (?:--mount=\S+ +)+\/opt\/veren\/run (?:install|build|prune)$/);
    const unique = build.findIndex((line) => line.startsWith('ARG UNIQUE'));
    expect(steps.filter((line) => build.indexOf(line) < unique)).toHaveLength(1);
    expect(last.filter((l) => /^(?:RUN|ADD|VOLUME) /.test(l))).toEqual([]);
    expect(last.filter((l) => /^(?:COPY|WORKDIR) /.test(l))).toEqual([
      'COPY --from=init /init /opt/veren/init',
      'COPY --from=build /etc/passwd /etc/group /etc/',
      'COPY --from=build /opt/veren/system /',
      'COPY --from=build /opt/veren/runtime /opt/veren/tools',
      'COPY --from=build --chown=node:node /app /app',
      `WORKDIR /app/\${SERVICE_PATH}`,
    ]);
    expect(last).toContain('USER node');
  });

  test('a start command stays one instruction, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 }), async (argv) => {
        const rendered = await renderDockerfile(TEMPLATES, 'Dockerfile_node20', argv);
        const lines = rendered.trimEnd().split(/\r?\n/);
        expect(lines.length).toBe(template(20).trimEnd().split('\n').length + 1);
        expect(JSON.parse(lines.at(-1)!.replace(/^CMD /, ''))).toEqual(argv);
      }),
      { numRuns: 100 },
    );
  });
});

describe('variables', () => {
  const job = { DEPLOYMENTID: 'd', PROJECT_ID: 'p', GIT_COMMIT: 'c', GIT_REPOSITORY__URL: 'https://h/r' };
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

  test('an installation gets dev dependencies whatever is set; the build has what the user set', () => {
    const BUILD_ENV = {
      NODE_ENV: 'production',
      NPM_CONFIG_PRODUCTION: 'true',
      npm_config_omit: 'dev\n\noptional',
      YARN_PRODUCTION: '1',
      NODE_OPTIONS: '--require ./x.js',
      PLAIN: 'p',
    };
    const { script } = buildVariables({}, { ...job, BUILD_ENV });
    const seen = (step: string) =>
      Object.fromEntries(
        execFileSync('/bin/sh', ['-c', `${script}unset VEREN_STEP\nenv -0`], {
          env: { PATH: process.env.PATH, VEREN_STEP: step },
        })
          .toString()
          .split('\0')
          .filter(Boolean)
          .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
          .filter(([name]) => name in BUILD_ENV || name === 'VEREN_STEP'),
      );
    const install = { npm_config_omit: 'optional', NODE_OPTIONS: BUILD_ENV.NODE_OPTIONS, PLAIN: 'p' };
    expect(seen('tools')).toEqual({ npm_config_omit: 'optional', PLAIN: 'p' });
    expect(seen('install')).toEqual(install);
    expect(seen('build')).toEqual(BUILD_ENV);
    const of = (env: Record<string, string>) => buildVariables({}, { ...job, BUILD_ENV: env }).fingerprint;
    expect(of(BUILD_ENV)).toBe(of(install));
  });

  test('what a build is told of itself, and nothing where there is nothing to tell', () => {
    const { script } = buildVariables({}, { ...job, GIT_BRANCH: "it's", BUILD_ENV: { VERENA: 'x' } });
    const seen = execFileSync('/bin/sh', ['-c', `${script}env`], { env: {} }).toString();
    expect(seen).toContain("VEREN_GIT_BRANCH=it's\n");
    expect(seen).toContain('VEREN_GIT_URL=https://h/r\n');
    expect(seen).not.toContain('VEREN_GIT_TAG');
  });

  test('the fingerprint follows the user’s variables and nothing else', () => {
    const of = (BUILD_ENV: Record<string, string>, more = {}) =>
      buildVariables(more, { ...job, BUILD_ENV }).fingerprint;
    expect(of({ A: '1', B: '2' })).toBe(of({ B: '2', A: '1' }, { HTTP_PROXY: 'x' }));
    expect(of({ A: '1' })).not.toBe(of({ A: '2' }));
    expect(buildVariables({}, { ...job, DEPLOYMENTID: 'e', BUILD_ENV: {} }).fingerprint).toBe(of({}));
  });
});

describe('step', () => {
  const step = join(TEMPLATES, 'step');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'veren-step-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Names that a script of ours could have, and any other. */
  const OURS = [
    'step',
    'home',
    'scratch',
    'spec',
    'code',
    'variables',
    'command',
    'service',
    'shared',
    'uid',
    'round',
    'left',
    'copy',
  ];
  test('the user’s variables reach the command, whatever their names, and change nothing else', () => {
    const name = fc.oneof(fc.constantFrom(...OURS), fc.stringMatching(/^[a-z_][a-z0-9_]{0,6}$/));
    const value = fc.constantFrom('', '0', 'prune', '/nowhere', '; exit 0', '$1', '-e');
    fc.assert(
      fc.property(
        fc.dictionary(name, value, { maxKeys: 6 }),
        fc.integer({ min: 1, max: 99 }),
        (BUILD_ENV, exitCode) => {
          const variables = join(folder, 'variables');
          writeFileSync(
            variables,
            buildVariables(
              {},
              { DEPLOYMENTID: 'd', PROJECT_ID: 'p', GIT_COMMIT: 'c', GIT_REPOSITORY__URL: 'https://h/r', BUILD_ENV },
            ).script,
          );
          const { status, stdout } = spawnSync(
            step,
            [variables, folder, '/bin/sh', '-c', `pwd; env -0; exit ${exitCode}`],
            {
              env: { PATH: process.env.PATH },
              encoding: 'utf8',
              stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore'],
            },
          );
          expect(status).toBe(exitCode);
          expect(stdout.split('\n')[0]).toBe(folder);
          for (const [k, v] of Object.entries(BUILD_ENV)) expect(stdout).toContain(`${k}=${v}\0`);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what one step alone may see comes by a descriptor that no program inherits, and wins over what all see', () => {
    const BUILD_ENV = { npm_config_registry: 'http://all.example/', SHARED: 's' };
    const of = { DEPLOYMENTID: 'd', PROJECT_ID: 'p', GIT_COMMIT: 'c', GIT_REPOSITORY__URL: 'https://h/r' };
    const INSTALL_ONLY_ENV = { npm_config_registry: "it's\nmine", NODE_OPTIONS: '--max-old-space-size=99' };
    const made = buildVariables({}, { ...of, BUILD_ENV, INSTALL_ONLY_ENV, BUILD_ONLY_ENV: { SENTRY: 'of-the-build' } });
    writeFileSync(join(folder, 'variables'), made.script);
    expect(made.script).not.toMatch(/mine|of-the-build/);
    const seen = (name: string, script: string) => {
      writeFileSync(join(folder, 'own'), script);
      const own = openSync(join(folder, 'own'), 'r');
      const command = ['/bin/sh', '-c', 'env -0; ls /proc/$$/fd | grep -x 4'];
      const { stdout } = spawnSync(step, [join(folder, 'variables'), folder, ...command], {
        env: { PATH: process.env.PATH, VEREN_STEP: name },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe', 'ignore', own],
      });
      closeSync(own);
      return stdout.split('\0');
    };
    const install = seen('install', made.installScript);
    expect(install).toEqual(expect.arrayContaining(["npm_config_registry=it's\nmine", 'SHARED=s']));
    expect(install).toContain('NODE_OPTIONS=--max-old-space-size=99');
    expect(install.join('\n')).not.toContain('of-the-build');
    expect(install.at(-1)).toBe('');
    expect(seen('tools', made.installScript).join('\n')).not.toContain('NODE_OPTIONS');
    const build = seen('build', made.buildScript);
    expect(build).toEqual(expect.arrayContaining(['npm_config_registry=http://all.example/', 'SENTRY=of-the-build']));
  });

  test('the fingerprint of an installation has a key, and follows what the installation alone sees', () => {
    const of = (over: object) =>
      buildVariables(
        {},
        {
          ...{ DEPLOYMENTID: 'd', PROJECT_ID: 'p', GIT_COMMIT: 'c', GIT_REPOSITORY__URL: 'https://h/r' },
          ...{ BUILD_ENV: {}, FINGERPRINT_KEY: 'k', ...over },
        },
      ).fingerprint;
    expect(of({ INSTALL_ONLY_ENV: { NPM_TOKEN: 'a' } })).not.toBe(of({ INSTALL_ONLY_ENV: { NPM_TOKEN: 'b' } }));
    expect(of({ FINGERPRINT_KEY: 'other' })).not.toBe(of({}));
    expect(of({ BUILD_ONLY_ENV: { SENTRY: 'x' } })).toBe(of({}));
  });

  test('root’s part of a step never reads them', () => {
    const run = readFileSync(join(TEMPLATES, 'run'), 'utf8').replaceAll(/^#.*$/gm, '');
    expect(run.match(/.*\/kaniko\/build\/variables.*/g)).toEqual([
      'perform() { as_node "$home/step" /kaniko/build/variables "$@" 4<"$own"; }',
    ]);
    expect(run).not.toMatch(/^\s*(?:\.|source|eval) /m);
  });
});

test('the history is taken out of the application when nothing of the build is alive that could write it again', () => {
  const run = readFileSync(join(TEMPLATES, 'run'), 'utf8');
  const build = run.slice(run.indexOf('\n  build)'), run.indexOf('\n  prune)'));
  expect(build.match(/\$command|end_leftovers$|rm -rf \/app\/\.git/gm)).toEqual([
    '$command',
    'end_leftovers',
    'rm -rf /app/.git',
  ]);
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
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('a command that ends by itself ends it', async () => {
    expect(await ended(init('sh', '-c', 'exit 5'))).toBe(5);
    expect(await ended(init('/does/not/exist'))).toBe(127);
  });
});
