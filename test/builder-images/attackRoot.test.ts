import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { startAsUser } from '../../builder-images/shared/processes.ts';
import { programPath } from '../../builder-images/shared/programs.ts';
import { useWorld } from './bundle.ts';
import { type Files, repository, writeFiles } from './harness.ts';

/**
 * Ways in which a repository may try to have its own code run as root: through names of programs, variables, versions,
 * settings of git and npm, and folders put in another's place. Needs root and Linux.
 */
const UID = 20_001;
const possible = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
if (!possible && process.env.VEREN_REQUIRE_ENGINES === '1') throw new Error('the attack suite needs root on Linux');

/** A registry with one package, whose install script is the attacker's: `env` may name any registry. */
async function hostileRegistry(folder: string, postinstall: string): Promise<Server> {
  const manifest = { name: 'pnpm', version: '9.99.0', bin: { pnpm: 'x.js' }, scripts: { postinstall: 'node post.js' } };
  writeFiles(join(folder, 'package'), {
    'package.json': JSON.stringify(manifest),
    'post.js': postinstall,
    'x.js': { script: '#!/usr/bin/env node\nconsole.log("a package manager")\n' },
  });
  execFileSync('tar', ['-czf', join(folder, 'pnpm.tgz'), '-C', folder, 'package']);
  const archive = readFileSync(join(folder, 'pnpm.tgz'));
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const server = createServer((request, response) => {
    if (request.url?.endsWith('.tgz')) return void response.end(archive);
    if (request.url !== '/pnpm') return void response.writeHead(404).end('{}');
    const dist = { tarball: `http://${request.headers.host}/pnpm.tgz`, integrity };
    const versions = { '9.99.0': { ...manifest, hasInstallScript: true, dist } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: 'pnpm', 'dist-tags': { latest: '9.99.0' }, versions }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

(possible ? describe : describe.skip)(`a repository that wants root${possible ? '' : ' (needs root on Linux)'}`, () => {
  const world = useWorld();
  const isolated = { VEREN_BUILD_UID: `${UID}`, VEREN_BUILD_GID: `${UID}`, VEREN_BUILD_PROCESSES: '300' };
  const registries: Server[] = [];
  afterAll(async () => {
    for (const server of registries) await new Promise((done) => server.close(done));
  });

  /** A folder that everybody may write: each run of planted code leaves a file with its user there. */
  function lootFolder(name: string): string {
    const folder = join(world().dir, `loot-${name}`);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    return folder;
  }
  const usersIn = (folder: string) => [
    ...new Set(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim())),
  ];
  const planted = (loot: string) => `#!/bin/sh\n/usr/bin/id -u > "${loot}/$(/usr/bin/basename "$0").$$"\n`;

  async function registry(name: string, postinstall: string): Promise<string> {
    const folder = join(world().dir, `registry-${name}`);
    mkdirSync(folder);
    const server = await hostileRegistry(folder, postinstall);
    registries.push(server);
    return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  }

  const attack = (name: string, files: Files, env: Record<string, string>, variables: Record<string, string> = {}) =>
    world().build(
      { projectId: name, ...repository(join(world().dir, 'repos', name), files) },
      { ...isolated, OUTPUT_DIR: 'dist', BUILD_ENV: JSON.stringify(variables), ...env },
    );

  test('programs planted where the build’s PATH begins are never run by root', async () => {
    const loot = lootFolder('path');
    const names = 'prlimit setpriv git tar sh rm env node kill cat mkdir id';
    const plant = `mkdir -p dist; cp index.html dist; for name in ${names}; do cp planted ../tools/pnpm@9.99.0/node_modules/.bin/$name; done`;
    const built = await attack(
      'path',
      { planted: { script: planted(loot) }, 'index.html': 'x', 'package-lock.json': '{}', 'package.json': '{}' },
      { PACKAGE_MANAGER: 'pnpm@9.99.0', INSTALLCOMMAND: plant, BUILDCOMMAND: 'prlimit; git; true' },
      { npm_config_registry: await registry('path', '') },
    );
    expect([built.code, built.last]).toEqual([0, expect.objectContaining({ type: 'build.succeeded' })]);
    expect(usersIn(loot)).toEqual([`${UID}`]); // the build's own commands found them: the attack was set up
  }, 60_000);

  test('the version that an installed package claims to have names no folder', async () => {
    const loot = lootFolder('version');
    const early = join(world().dir, 'early');
    mkdirSync(early, { mode: 0o755 });
    const postinstall = `
      const fs = require('fs'), path = require('path');
      const staging = path.resolve(__dirname, '../..');
      fs.writeFileSync(path.join(staging, 'prlimit'), process.env.PLANTED, { mode: 0o755 });
      const manifest = JSON.parse(fs.readFileSync('package.json'));
      fs.writeFileSync('package.json', JSON.stringify({ ...manifest, version: '9/../../../../early' }));
      require('child_process').spawn('sleep', ['31338'], { detached: true, stdio: 'ignore' }).unref();`;
    const alive: string[] = [];
    const watch = setInterval(() => {
      if (world().lines.some(({ line }) => line.includes('$ true')))
        alive.push(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }));
    }, 50);
    const built = await attack(
      'version',
      { 'dist/index.html': 'x' },
      {
        PATH: `${early}:${process.env.PATH}`,
        PACKAGE_MANAGER: 'pnpm@9.99.0',
        INSTALLCOMMAND: 'true; sleep 0.5',
        BUILDCOMMAND: 'id',
      },
      { PLANTED: planted(loot), npm_config_registry: await registry('version', postinstall) },
    );
    clearInterval(watch);
    expect([built.code, built.last]).toEqual([0, expect.objectContaining({ type: 'build.succeeded' })]);
    expect([readdirSync(early), statSync(early).uid, readdirSync(loot)]).toEqual([[], 0, []]);
    // What the installation has left behind is dead before the first command of the build.
    expect(alive.filter((processes) => processes.includes('sleep 31338'))).toEqual([]);
  }, 60_000);

  test('settings of git and npm, and variables that change programs, act as the build’s user only', async () => {
    const loot = lootFolder('settings');
    const evil = `$PWD/planted`;
    const built = await attack(
      'settings',
      {
        planted: { script: planted(loot) },
        'index.html': 'x',
        'package.json': JSON.stringify({ name: 'x', version: '1.0.0', scripts: { build: 'true' } }),
        'package-lock.json': '{}',
        '.gitattributes': '* filter=evil',
      },
      {
        INSTALLCOMMAND: `mkdir dist; cp index.html dist
for key in core.fsmonitor core.sshCommand core.pager core.editor filter.evil.clean filter.evil.smudge diff.external; do git config $key "${evil}"; done
cp planted .git/hooks/post-checkout; cp planted .git/hooks/post-index-change
printf '[alias]\\nstatus = !%s\\n[core]\\nfsmonitor = %s\\n' "${evil}" "${evil}" > "$HOME/.gitconfig"
printf 'script-shell=%s\\n' "${evil}" > "$HOME/.npmrc"; touch index.html`,
        BUILDCOMMAND: 'npm run build; git status; true',
      },
      {
        GIT_EXEC_PATH: join(loot, 'no'),
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.fsmonitor',
        GIT_CONFIG_VALUE_0: join(loot, 'no'),
        TAR_OPTIONS: `--checkpoint=1 --checkpoint-action=exec=${join(loot, 'no')}`,
        GCONV_PATH: loot,
        PYTHONSTARTUP: join(loot, 'no'),
      },
    );
    expect([built.code, built.last]).toEqual([0, expect.objectContaining({ type: 'build.succeeded' })]);
    expect(usersIn(loot)).toEqual([`${UID}`]);
  }, 60_000);

  test('folders of the work folder cannot be put in another’s place, and links in the source lead root nowhere', async () => {
    const built = await attack(
      'swap',
      { 'index.html': 'x', 'package-lock.json': '{}', 'package.json': { link: '/dev/zero' } },
      {
        INSTALLCOMMAND: `for name in tmp control home cache tools source; do mv ../$name ../other-$name && echo "moved $name"; done
ln -s /root ../fresh && echo linked; rm -rf ../tmp/x; ln -s /etc ../tmp/x; ln -s /etc ../home/etc; mkdir dist; cp index.html dist; true`,
        BUILDCOMMAND: 'true',
      },
    );
    expect([built.code, built.last]).toEqual([0, expect.objectContaining({ type: 'build.succeeded' })]);
    expect(built.log).not.toMatch(/^(?:moved|linked)/m);
    expect(existsSync('/etc/passwd')).toBe(true);
    expect(existsSync(join(world().dir, 'work/swap'))).toBe(false);
  }, 60_000);
});

(possible ? describe : describe.skip)('dropping to the build’s user', () => {
  const user = { uid: UID, gid: UID, maxProcesses: 100 };
  const run = async (argv: [string, ...string[]], env: Record<string, string>, input?: string) => {
    const program = startAsUser(user, { argv, cwd: '/', env, hasInput: input !== undefined });
    program.input?.end(input);
    const text = async (stream: NodeJS.ReadableStream) => {
      let all = '';
      for await (const chunk of stream) all += String(chunk);
      return all;
    };
    const [stdout, stderr, { exitCode }] = await Promise.all([
      text(program.stdout),
      text(program.stderr),
      program.ended,
    ]);
    return { stdout, stderr, exitCode };
  };

  test('a variable reaches the program, and nothing that is still root', async () => {
    const { stdout, stderr } = await run(['/bin/sh', '-c', 'echo "$0 $LD_PRELOAD"; kill -0 1', 'me'], {
      LD_PRELOAD: '/nonexistent-veren.so',
    });
    expect(stdout).toBe('me /nonexistent-veren.so\n');
    // The loader complains in every program that is started with it: in this one alone, not in prlimit or setpriv.
    expect(stderr.match(/nonexistent-veren/g)).toHaveLength(1);
    expect(stderr).toMatch(/kill|permitted/);
  });

  test('64 KB of variables with every character, and what is written to the program', async () => {
    const odd = `quotes ' " \` $HOME \\ \n new line \u00e9 ${'x'.repeat(60_000)}`;
    const env = { ODD: odd, PATH: '/usr/bin:/bin', UID: '5', EMPTY: '' };
    const { stdout, exitCode } = await run(['sh', '-c', 'printf "%s|" "$ODD"; cat; exit 7'], env, 'input');
    expect([stdout, exitCode]).toEqual([`${odd}|input`, 7]);
  });

  test('no new rights, no other groups, no descriptor of ours, an own session', async () => {
    const script = `grep -E "^(NoNewPrivs|Groups|Uid)" /proc/self/status; ls /proc/self/fd | grep -cE "^(.|1[0-5])$"; cat /proc/self/limits | grep "Max processes"`;
    const { stdout } = await run(['sh', '-c', script], { PATH: '/usr/bin:/bin' });
    expect(stdout).toMatch(/Uid:\s+20001\s+20001\s+20001\s+20001/);
    expect(stdout).toMatch(/Groups:\s*\n/);
    expect(stdout).toMatch(/NoNewPrivs:\s*1/);
    expect(stdout).toMatch(/^4$/m); // three and ls's own
    expect(stdout).toMatch(/Max processes\s+100\s+100/);
  });

  test('programs of the system belong to root, and nobody else can write them', () => {
    for (const name of ['sh', 'git', 'tar', 'rm', 'prlimit', 'setpriv'] as const) {
      const { uid, mode } = statSync(programPath(name));
      expect([name, uid, mode & 0o022]).toEqual([name, 0, 0]);
    }
  });
});
