import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describeWith, tooSlow } from '../support/engines.ts';
import { DockerfileWorld } from './dockerfileWorld.ts';
import { missingKaniko } from './kanikoWorld.ts';

/** As root in its own container: looks for the other one, and changes whatever it can reach. */
const ATTACK = String.raw`#!/bin/bash
mkdir -p /loot
id -u >/loot/id; env >/loot/env
for p in /proc/[0-9]*; do
  { tr '\0' '\n' <$p/environ; } >>/loot/environ 2>/dev/null
  { tr '\0' ' ' <$p/cmdline; echo; } >>/loot/cmdline 2>/dev/null
done
node -e '
const fs = require("fs");
let read = 0;
for (const pid of fs.readdirSync("/proc").filter((n) => /^\d+$/.test(n) && Number(n) !== process.pid)) {
  let fd;
  try { fd = fs.openSync("/proc/" + pid + "/mem", "r"); } catch { continue; }
  for (const line of fs.readFileSync("/proc/" + pid + "/maps", "utf8").split("\n")) {
    const m = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (!m) continue;
    const from = parseInt(m[1], 16), size = Math.min(parseInt(m[2], 16) - from, 1 << 24);
    const bytes = Buffer.alloc(size);
    try { read += fs.readSync(fd, bytes, 0, size, from); fs.appendFileSync("/loot/memory", bytes.filter((b) => b > 31 && b < 127)); } catch {}
  }
}
fs.writeFileSync("/loot/read", String(read));
' 2>/dev/null
cp -r /kaniko/channel /loot/channel 2>/dev/null; ls -la /kaniko/channel >/loot/listing 2>&1
for attempt in 'touch /kaniko/channel/x' 'ln -s /etc/shadow /kaniko/channel/y' 'mkfifo /kaniko/channel/z' 'rmdir /kaniko/channel' 'rm /kaniko/channel/build.sock' \
  'mount -o remount,rw /kaniko/channel' 'mount -t tmpfs tmpfs /kaniko/channel' 'mknod /tmp/disk b 8 0' 'umount /kaniko/channel' \
  'chroot / true' 'ip link add dummy0 type dummy' 'nsenter -t 1 -n true' 'unshare -m true'; do
  $attempt 2>/dev/null && echo "$attempt" >>/loot/done
done
node -e '
const s = require("net").connect("/kaniko/channel/build.sock");
s.on("connect", () => { require("fs").appendFileSync("/loot/done", "connected\n"); process.exit(); });
s.on("error", () => process.exit());' 2>/dev/null
python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)' 2>/dev/null && echo sniffed >>/loot/done
touch /loot/done
# What the builder of templates starts as root after a build, and what this one has.
for f in /usr/bin/setpriv /bin/sh /usr/bin/env /usr/bin/tar /bin/tar /kaniko/executor /kaniko/crane /kaniko/bin/node /kaniko/veren/build-image-backend/main.sh \
  /kaniko/veren/build-image-backend/dist/script.mjs; do
  [ "$f" = /bin/sh ] || { printf '#!/bin/bash\ntouch /evil-ran\n' >"$f.new" && chmod 755 "$f.new" && mv -f "$f.new" "$f"; } 2>/dev/null
done
for n in 1 2; do setsid bash -c 'trap "" TERM HUP INT; while :; do echo evil >/left-behind; sleep 0.2; done' >/dev/null 2>&1 </dev/null & done
exit 0
`;

const BASE = 'FROM node:20-bullseye\n';
/** Runs on after Kaniko's steps, beside what hands the image over. */
const daemon = (script: string) =>
  `RUN printf '%s' '${Buffer.from(script).toString('base64')}' | base64 -d >/daemon.mjs && (setsid node /daemon.mjs >/dev/null 2>&1 </dev/null &) ; sleep 0.3\n`;

describeWith(tooSlow ?? missingKaniko(), 'a hostile Dockerfile, root in the container that builds it', () => {
  let kaniko: DockerfileWorld;
  beforeAll(async () => {
    kaniko = await new DockerfileWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());
  type Built = Awaited<ReturnType<DockerfileWorld['buildOwn']>>;

  /** Whatever became of the build (`etc/hosts` is the place of a mount): the trusted container ran nothing of it, changed nothing and said nothing that it should not. */
  const expectUnharmed = (built: Built) => {
    const told = JSON.stringify([built.output, built.log, built.last]);
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = built.env;
    for (const secret of [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, GIT_TOKEN]) {
      expect(secret).toMatch(/.{8}/);
      expect(told).not.toContain(secret);
    }
    expect(
      built.changes.filter((file) => !/^\.\/(?:kaniko\/work\/|tmp\/|root\/|var\/|dev\/null|etc\/hosts$)/.test(file)),
    ).toEqual([]);
    expect(built.last).toBeDefined();
  };
  const GIT_TOKEN = 'git-token-of-the-platform-9f3b';
  const build = (files: Record<string, string>, env: Record<string, string> = {}) =>
    kaniko.buildOwn(
      { ...files, Dockerfile: files.Dockerfile!.replaceAll('REGISTRY', kaniko.registry) },
      { env: { GIT_TOKEN, ...env } },
    );
  const isPushed = (tag: string) => {
    try {
      kaniko.crane('digest', '--insecure', kaniko.image(tag));
      return true;
    } catch {
      return false;
    }
  };

  test('looks for secrets and for the other container, and overwrites every program', async () => {
    const built = await build({
      Dockerfile: `${BASE.trim()} AS attack\nCOPY attack.sh /attack.sh\nRUN bash /attack.sh\nRUN true\nFROM scratch\nCOPY --from=attack /loot /loot\n`,
      'attack.sh': ATTACK,
    });
    expectUnharmed(built);
    if (built.code !== 0)
      throw new Error([built.isolated.output, built.log.slice(-3_000), JSON.stringify(built.last)].join('\n'));
    const { root } = kaniko.pull(built.tag);
    const loot = (name: string) =>
      execFileSync('cat', [join(root, 'loot', name)], { encoding: 'latin1', maxBuffer: 1 << 30 });
    expect(loot('id').trim()).toBe('0');
    expect(Number(loot('read'))).toBeGreaterThan(1_000_000);
    const secrets = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'EVENT_SIGNING_KEY'] as const;
    for (const name of ['env', 'environ', 'cmdline', 'memory', 'listing'])
      for (const secret of [GIT_TOKEN, ...secrets.map((s) => built.env[s]).filter((s) => s !== undefined)])
        expect(loot(name).includes(secret)).toBe(false);
    // It saw the processes of its own container only, and the search did search.
    expect(loot('cmdline')).toContain('--no-push');
    expect(loot('cmdline')).not.toMatch(/script\.mjs|main\.sh/);
    expect(loot('done').trim()).toBe('');
  }, 240_000);

  test('ONBUILD of a base image of the attacker’s, as root', async () => {
    const base = await build({
      Dockerfile: `${BASE}ONBUILD RUN id -u >/onbuild && rm -rf /kaniko/crane && printf x >/kaniko/executor || true\n`,
    });
    expect(base.last).toMatchObject({ type: 'build.succeeded' });
    const built = await build({ Dockerfile: `FROM REGISTRY/my-backend:${base.tag}\nRUN cat /onbuild\n` });
    expectUnharmed(built);
    expect(built.log).toMatch(/^0$/m);
  }, 240_000);

  test('the image is replaced while it is handed over', async () => {
    const built = await build({
      Dockerfile:
        BASE +
        daemon(`import fs from 'node:fs';
          const blobs = '/kaniko/work/image/blobs/sha256';
          for (;;) {
            try { for (const name of fs.readdirSync(blobs)) { const f = blobs + '/' + name; const size = fs.statSync(f).size;
              if (size > 1e6) fs.writeFileSync(f, Buffer.alloc(1e6, 7)); } } catch {}
          }`),
    });
    expectUnharmed(built);
    expect(built.last).toMatchObject({
      type: 'build.failed',
      error: { code: expect.stringMatching(/IMAGE_REFUSED|DOCKERFILE_/) },
    });
    expect(isPushed(built.tag)).toBe(false);
  }, 240_000);

  test('files of the image become links, pipes and devices', async () => {
    const built = await build({
      Dockerfile:
        BASE +
        daemon(`import fs from 'node:fs'; import { execFileSync } from 'node:child_process';
          const blobs = '/kaniko/work/image/blobs/sha256';
          for (;;) {
            try { for (const name of fs.readdirSync(blobs)) { const f = blobs + '/' + name;
              if (!fs.lstatSync(f).isFile()) continue;
              fs.unlinkSync(f); fs.symlinkSync(name.charCodeAt(0) % 2 ? '/dev/zero' : '/etc/passwd', f); } } catch {}
          }`),
    });
    expectUnharmed(built);
    expect(built.last).toMatchObject({ type: 'build.failed' });
    expect(isPushed(built.tag)).toBe(false);
  }, 240_000);

  test('what hands the image over is ended, or forks without end, or never ends', async () => {
    const killed = await build({
      Dockerfile: `${BASE}RUN kill -9 $(cat /proc/[0-9]*/task/*/children | tr ' ' '\\n' | sort -n | head -3); sleep 600\n`,
    });
    expectUnharmed(killed);
    expect(killed.last).toMatchObject({ type: 'build.failed' });
    const hanging = await build({ Dockerfile: `${BASE}RUN sleep 10000\n` }, { BUILD_TIMEOUT: '25' });
    expectUnharmed(hanging);
    expect(hanging.last).toMatchObject({ type: 'build.failed', error: { code: 'BUILD_TIMEOUT', phase: 'build' } });
    const storm = await build(
      { Dockerfile: `${BASE}RUN ulimit -u 2000; for n in $(seq 1500); do (sleep 300 &) 2>/dev/null; done; exit 0\n` },
      { BUILD_TIMEOUT: '90' },
    );
    expectUnharmed(storm);
    expect(storm.last).toMatchObject({ type: 'build.succeeded' });
  }, 400_000);

  test('prints without end, and lines that look like secrets, like the builder’s own and like terminals', async () => {
    const built = await build(
      {
        Dockerfile: `${BASE}COPY print.js /print.js\nARG SHOWN\nRUN node /print.js "$SHOWN"\n`,
        'print.js': String.raw`console.log(process.argv[2]); console.log('{"level":"info","msg":"RUN forged"}'); console.log('\u001b[2J\u001b]0;title\u0007cleared');
          process.stdout.write('x'.repeat(5e6) + '\n'); for (let i = 0; i < 150000; i++) console.log('line ' + i);`,
      },
      { BUILD_ENV: JSON.stringify({ SHOWN: 'a-variable-that-is-secret' }) },
    );
    expectUnharmed(built);
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(built.log).not.toContain('a-variable-that-is-secret');
    expect(built.log).not.toContain('\u001b[2J');
    expect(built.log).toContain('The log ends here');
  }, 240_000);
});
