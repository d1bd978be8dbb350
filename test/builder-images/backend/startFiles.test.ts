import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { removeFolders, temporaryFolder } from '../../support/folders.ts';
import { type Files, ROOT, writeFiles } from '../harness.ts';

afterAll(removeFolders);
const TEMPLATES = join(ROOT, 'builder-images/build-image-backend/dockerbackend');

/** A program of this machine that is linked with more than the C library; null where there is none. */
const linked = ['/bin/bash', '/usr/bin/bash'].find(
  (file) => process.platform === 'linux' && existsSync(file) && readFileSync(file).includes('libtinfo.so.6'),
);

(linked === undefined ? describe.skip : describe)('libraries (a bash that is linked with libtinfo is needed)', () => {
  const look = (files: readonly string[]) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'files'), files.map((file) => `${file}\0`).join(''));
    const target = join(folder, 'libraries');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(TEMPLATES, 'libraries.mjs'), target, join(folder, 'files')],
      { encoding: 'utf8', timeout: 20_000 },
    );
    return { status, stdout, stderr, copied: existsSync(target) ? readdirSync(target) : [] };
  };

  test('what a program needs of the system comes along under the name it is needed by, the C library does not', () => {
    expect(look([linked!])).toMatchObject({ status: 0, copied: ['libtinfo.so.6'] });
    expect(look([linked!]).stdout).toContain('libraries of the build that the service needs: libtinfo.so.6');
  });

  test('a library that the package brings itself is not taken from the system', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'libtinfo.so.6'), '');
    expect(look([linked!, join(folder, 'libtinfo.so.6')])).toMatchObject({ status: 0, copied: [] });
  });

  test('one that is nowhere is named', () => {
    const program = join(temporaryFolder(), 'program');
    const bytes = readFileSync(linked!);
    bytes.write('libnosuch', bytes.indexOf('libtinfo.so.6\0'), 'latin1');
    writeFileSync(program, bytes);
    const found = look([program]);
    expect(found).toMatchObject({ status: 0, copied: [] });
    expect(found.stdout).toContain(`veren: ${program} needs libnosuch`);
  });

  test('names that are paths, programs of other systems and files that only look like programs change nothing', () => {
    const folder = temporaryFolder();
    const make = (name: string, change: (bytes: Buffer) => void) => {
      const bytes = readFileSync(linked!);
      change(bytes);
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const files = [
      make('path', (b) => b.write('../etc/passwd', b.indexOf('libtinfo.so.6\0'), 'latin1')),
      make('machine', (b) => b.writeUInt16LE(0x28, 18)),
      make('system', (b) => b.writeUInt8(9, 7)),
      make('bits', (b) => b.writeUInt8(1, 4)),
      make('table', (b) => b.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 32)),
      make('count', (b) => b.writeUInt16LE(0xffff, 56)),
      join(folder, 'gone'),
      folder,
    ];
    truncateSync(
      make('short', () => undefined),
      100,
    );
    expect(look([...files, join(folder, 'short')])).toMatchObject({ status: 0, copied: [] });
  });

  test('whatever stands in a program’s head, the look-up ends and takes nothing but libraries of the system', () => {
    const folder = temporaryFolder();
    const original = readFileSync(linked!);
    const change = fc.record({ at: fc.integer({ min: 4, max: 1_500 }), value: fc.integer({ min: 0, max: 255 }) });
    const files = fc.sample(fc.array(change, { minLength: 1, maxLength: 8 }), 60).map((changes, i) => {
      const bytes = Buffer.from(original);
      for (const { at, value } of changes) bytes[at] = value;
      writeFileSync(join(folder, `p${i}`), bytes);
      return join(folder, `p${i}`);
    });
    const found = look(files);
    expect(found.status).toBe(0);
    expect(found.copied.filter((name) => name !== 'libtinfo.so.6')).toEqual([]);
  });
});

describe('environment', () => {
  /** What a service of these files would see, started by `init` with `given` as the container's own variables. */
  const seen = (files: Files, start: object, given: Record<string, string> = {}, service = '.') => {
    const folder = temporaryFolder();
    const [app, runtime] = [join(folder, 'app'), join(folder, 'tools')];
    writeFiles(app, files);
    mkdirSync(join(app, service), { recursive: true });
    mkdirSync(runtime);
    writeFileSync(join(folder, 'start.json'), JSON.stringify(start));
    writeFileSync(
      join(folder, 'programs'),
      '{"name":"semver","path":"/app/x y.zip/bin/semver.js"}\n{"name":"../x","path":"/"}\nno\n',
    );
    const place = [`${app}/${service}`, app, join(folder, 'start.json'), runtime, runtime, join(folder, 'programs')];
    execFileSync(process.execPath, [join(TEMPLATES, 'environment.mjs'), ...place]);
    copyFileSync(join(TEMPLATES, 'init'), join(folder, 'init'));
    const printed = execFileSync(join(folder, 'init'), ['env', '-0'], {
      env: { PATH: process.env.PATH, ...given },
      encoding: 'utf8',
    });
    const env = Object.fromEntries(
      printed
        .split('\0')
        .filter(Boolean)
        .map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]),
    );
    return { env, app, runtime };
  };
  const START = { manager: 'npm', event: 'start', script: 'node a.js', keepsManager: false };

  test('a script sees its package and its settings, in every character', () => {
    const name = `it's "$HOME" \`x\` é\n\\`;
    const { env, app } = seen(
      {
        'package.json': JSON.stringify({
          name,
          version: '1.0.0',
          config: { port: 8080, deep: { x: [1, 2] } },
          engines: { node: '20' },
        }),
        '.npmrc': `# no\ngreeting = "hello you"\nuse-x=true\n//registry.example/:_authToken=secret\n_auth=secret\nmy-token=secret\nfrom=\${HOME}\n@own:registry=x\nnode-options=--no-warnings\n`,
      },
      { ...START, script: "node a.js 'b c'" },
    );
    expect(env).toMatchObject({
      npm_package_name: name,
      npm_package_version: '1.0.0',
      npm_package_config_port: '8080',
      npm_package_config_deep_x_1: '2',
      npm_package_engines_node: '20',
      npm_config_greeting: 'hello you',
      npm_config_use_x: 'true',
      npm_lifecycle_event: 'start',
      npm_lifecycle_script: "node a.js 'b c'",
      npm_package_json: join(app, 'package.json'),
      INIT_CWD: app,
      NODE_OPTIONS: '--no-warnings',
    });
    expect(JSON.stringify(env)).not.toContain('secret');
  });

  test('a command that is no script sees none of it, and every service the address to listen on', () => {
    const { env } = seen({ 'package.json': '{"name":"s"}' }, { keepsManager: false });
    expect(Object.keys(env).filter((name) => name.startsWith('npm_'))).toEqual([]);
    expect(env).toMatchObject({ HOST: '0.0.0.0', NITRO_HOST: '0.0.0.0', FASTIFY_ADDRESS: '0.0.0.0' });
    expect(env.HOSTNAME).toBeUndefined();
  });

  test('a value of the user’s own wins: the container’s, and that of a committed file', () => {
    const files = { 'package.json': '{"name":"s"}', '.env.production': 'export HOST=10.0.0.1\n' };
    const { env } = seen(files, START, { NITRO_HOST: '::', npm_package_name: 'mine', FASTIFY_ADDRESS: '' });
    expect(env).toMatchObject({ NITRO_HOST: '::', npm_package_name: 'mine', FASTIFY_ADDRESS: '' });
    expect(env.HOST).toBeUndefined();
  });

  test('Next’s standalone server does not listen on the container’s name, which the engine sets', () => {
    const files = { 'package.json': '{"dependencies":{"next":"15"}}' };
    const own = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
    expect(seen(files, START, { HOSTNAME: own }).env.HOSTNAME).toBe('0.0.0.0');
    expect(seen(files, START).env.HOSTNAME).toBe('0.0.0.0');
    expect(seen(files, START, { HOSTNAME: 'fixed.example' }).env.HOSTNAME).toBe('fixed.example');
  });

  test('Plug’n’Play: options before the user’s own, programs of the packages on the PATH', () => {
    const files = {
      'package.json': '{}',
      '.pnp.cjs': '',
      '.pnp.loader.mjs': '',
      'apps/api/package.json': '{"name":"api"}',
    };
    const start = { ...START, manager: 'yarn' };
    const { env, app, runtime } = seen(files, start, { NODE_OPTIONS: '--max-old-space-size=100' }, 'apps/api');
    expect(env.NODE_OPTIONS).toBe(
      `--require ${app}/.pnp.cjs --experimental-loader file://${app}/.pnp.loader.mjs --max-old-space-size=100`,
    );
    expect(env).toMatchObject({ npm_package_name: 'api', PROJECT_CWD: app, INIT_CWD: join(app, 'apps/api') });
    const folders = ['apps/api', 'apps', '.'].map((at) => join(app, at, 'node_modules/.bin'));
    expect(env.PATH!.split(':').slice(0, 4)).toEqual([...folders, '/opt/veren/tools/bin']);
    expect(readdirSync(join(runtime, 'bin'))).toEqual(['semver']);
    expect(readFileSync(join(runtime, 'bin/semver'), 'utf8')).toContain(
      `exec /usr/local/bin/node '/app/x y.zip/bin/semver.js' "$@"`,
    );
  });
});

test('init waits for what a shell in front of a service has left behind to end by itself', () => {
  const line = '(trap "sleep 0.5; echo tidied up; exit" TERM; echo ready; while :; do sleep 0.05; done); true';
  const script = `"$0" sh -c '${line}' & sleep 0.5; kill -TERM $!; wait $!; echo "code $?"`;
  const output = execFileSync('/bin/sh', ['-c', script, join(TEMPLATES, 'init')], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(output.trim().split('\n')).toEqual(['ready', 'tidied up', 'code 143']);
});
