import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useWorld } from './bundle.ts';
import { ROOT, repository } from './harness.ts';

/**
 * What a hostile repository tries, on the level of processes: the builder is root and drops to a user of its own, as in
 * the image. Needs root and Linux.
 */
const UID = '20001';
const possible = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
if (!possible && process.env.VEREN_REQUIRE_ENGINES === '1') throw new Error('the attack suite needs root on Linux');

const attack = String.raw`
loot=$PWD/loot; mkdir -p "$loot"
echo "uid $(id -u) gid $(id -G)" > "$loot/id"
grep NoNewPrivs /proc/self/status > "$loot/status"
# The environment and memory of everybody
env > "$loot/env"
for p in /proc/[0-9]*; do
  cat $p/environ 2>/dev/null | tr '\0' '\n' >> "$loot/environ"
  cat $p/cmdline 2>/dev/null | tr '\0' ' ' >> "$loot/cmdline"
  [ "$(stat -c %u $p 2>/dev/null)" = "$(id -u)" ] && continue
  head -c 1 $p/mem >> "$loot/mem" 2>/dev/null && echo "read $p/mem" >> "$loot/mem"
  cat $p/maps >> "$loot/maps" 2>/dev/null
  ls -l $p/fd >> "$loot/fds" 2>/dev/null
done
# Files of the builder
find "$PWD/../.." -type f -readable -not -path '*/loot/*' -not -path '*/.git/*' -exec cat {} + > "$loot/files" 2>/dev/null
ls -la "$PWD/.." > "$loot/work"; cat "$PWD/../control/"* > "$loot/control" 2>&1
cat /root/.aws/credentials /root/.npmrc >> "$loot/files" 2>/dev/null
# Trusted scripts
for f in $TRUSTED; do echo 'echo owned' >> "$f" && echo "wrote $f" >> "$loot/wrote"; done 2>/dev/null
# Credential endpoints: none is named, and the address gives nothing
env | grep -i -E 'CREDENTIALS|METADATA' > "$loot/endpoint"
# End the builder
kill -9 $(ps -eo pid,uid | awk -v me="$(id -u)" '$2 != me {print $1}') 2>/dev/null
true
`;

const daemons = `
mkdir -p dist && echo '<p>mine</p>' > dist/index.html && cp -r loot dist/ 2>/dev/null
ln /etc/passwd dist/hard 2>/dev/null; [ -e dist/hard ] && rm dist/hard
# Daemons that go on changing the output, in their own session, and one that hides its environment
(setsid sh -c 'while :; do echo "<p>changed</p>" > dist/index.html; done' >/dev/null 2>&1 &)
(setsid env -i /bin/sh -c 'exec sleep 31337' >/dev/null 2>&1 &)
# A fork bomb, up to the limit
(bomb() { bomb | bomb & }; bomb) >/dev/null 2>&1 &
sleep 0.3
`;

(possible ? describe : describe.skip)(`attacks by a repository${possible ? '' : ' (needs root on Linux)'}`, () => {
  const world = useWorld();
  const isolated = { VEREN_BUILD_UID: UID, VEREN_BUILD_GID: UID, VEREN_BUILD_PROCESSES: '300' };
  const alive = () =>
    execFileSync('ps', ['-eo', 'uid,stat,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.trim().startsWith(`${UID} `) && !/^\s*\d+\s+Z/.test(line));

  // What was killed counts against the user's limit until the system's first process has buried it, which may take a while.
  afterEach(async () => {
    const isListed = () =>
      execFileSync('ps', ['-eo', 'uid'], { encoding: 'utf8' })
        .split('\n')
        .some((uid) => uid.trim() === UID);
    for (let i = 0; i < 300 && isListed(); i++) await new Promise((done) => setTimeout(done, 100));
  }, 40_000);

  test('nothing that it can reach holds a secret; what it leaves behind is dead before the publish', async () => {
    const source = repository(join(world().dir, 'repos', 'evil'), {
      'attack.sh': attack,
      'daemons.sh': daemons,
      'package.json': JSON.stringify({ name: 'evil', version: '1.0.0', scripts: { postinstall: 'sh attack.sh' } }),
    });
    const trusted = [
      join(ROOT, 'builder-images/builder-image-frontend/main.sh'),
      join(ROOT, 'builder-images/shared/handover.sh'),
      world().bundle,
    ];
    const before = trusted.map((file) => readFileSync(file, 'utf8'));
    const secrets = { GIT_TOKEN: 'ghp_attack_0123456789', KAFKA_PASSWORD: 'kafka_attack_0123456789' };
    const built = await world().build(
      { projectId: 'evil', ...source },
      {
        ...isolated,
        ...secrets,
        INSTALLCOMMAND: 'npm install --offline',
        BUILDCOMMAND: 'sh daemons.sh',
        OUTPUT_DIR: 'dist',
        BUILD_ENV: JSON.stringify({ TRUSTED: trusted.join(' ') }),
      },
    );
    expect([built.code, built.log]).toEqual([0, expect.any(String)]);
    expect(alive()).toEqual([]);
    expect(trusted.map((file) => readFileSync(file, 'utf8'))).toEqual(before);

    const site = await world().site('evil');
    const texts = new Map(
      await Promise.all(site.map(async (path) => [path, (await world().page('evil', path)).text] as const)),
    );
    expect(texts.get('loot/id')).toContain(`uid ${UID} gid ${UID}\n`);
    expect(texts.get('loot/status')).toMatch(/NoNewPrivs:\s*1/);
    expect(texts.get('loot/environ')).toContain('VEREN_BUILD='); // its own: the attack did look
    expect(site).not.toContain('loot/wrote');
    expect(texts.get('loot/control')).toMatch(/denied/i);
    expect(texts.get('loot/mem') ?? '').toBe('');
    expect(texts.get('loot/maps') ?? '').toBe('');
    expect(texts.get('loot/endpoint')).toBe('');
    const hidden = [
      built.env.AWS_ACCESS_KEY_ID!,
      built.env.AWS_SECRET_ACCESS_KEY!,
      built.env.AWS_SESSION_TOKEN!,
      ...Object.values(secrets),
    ];
    for (const secret of hidden) {
      expect(built.log).not.toContain(secret);
      for (const [path, text] of texts) expect({ path, found: text.includes(secret) }).toEqual({ path, found: false });
    }
  }, 60_000);

  test('a file that is not its own is not published, however it came into the output', async () => {
    const source = repository(join(world().dir, 'repos', 'hard'), { 'index.html': 'x' });
    const dist = join(world().dir, 'work/hard/source/dist');
    // A hard link that the kernel let through: made by root here, since this kernel may refuse it to others.
    const building = world().build(
      { projectId: 'hard', ...source },
      {
        ...isolated,
        BUILDCOMMAND: 'mkdir dist && cp index.html dist && for i in $(seq 100); do [ -e dist/hard ] || sleep 0.1; done',
        OUTPUT_DIR: 'dist',
      },
    );
    for (let i = 0; i < 4_000 && !existsSync(dist); i++) await new Promise((done) => setTimeout(done, 20));
    const sameDevice = statSync('/etc/passwd').dev === statSync(dist).dev;
    if (sameDevice) linkSync('/etc/passwd', join(dist, 'hard'));
    else writeFileSync(join(dist, 'hard'), 'of root');
    const built = await building;
    expect(built.last).toMatchObject({ error: { code: 'OUTPUT_REJECTED' } });
    expect(await world().site('hard')).toEqual([]);
  }, 120_000);

  test('a disk that is full is the build’s own trouble', async () => {
    const small = join(world().dir, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small], { stdio: 'ignore' });
    } catch {
      return console.warn('skipped: no file system can be mounted here');
    }
    try {
      const source = repository(join(world().dir, 'repos', 'full'), { 'index.html': 'x' });
      const fill = 'head -c 100000000 /dev/zero > "$HOME/fill"; echo "code $?"; touch "$TMPDIR/more" && false';
      const failed = await world().build(
        { projectId: 'full', ...source },
        { ...isolated, VEREN_WORKDIR: small, BUILDCOMMAND: fill },
      );
      expect(failed.last).toMatchObject({ type: 'build.failed', error: { code: 'BUILD_DISK_FULL', phase: 'build' } });
      expect(failed.log).toMatch(/No space left on device[\s\S]*code 1/);
      // … and what it does build is published with the disk still full.
      const built = await world().build(
        { projectId: 'full', ...source },
        {
          ...isolated,
          VEREN_WORKDIR: small,
          BUILDCOMMAND: `mkdir out; cp index.html out; ${fill} || true`,
          OUTPUT_DIR: 'out',
        },
      );
      expect(built.code).toBe(0);
      expect(await world().site('full')).toEqual(['index.html']);
    } finally {
      execFileSync('umount', [small]);
    }
  }, 60_000);

  test('a line of 1 GB and a flood of lines end with the build', async () => {
    const source = repository(join(world().dir, 'repos', 'flood'), { 'index.html': 'x' });
    const built = await world().build(
      { projectId: 'flood', ...source },
      {
        ...isolated,
        BUILDCOMMAND: `head -c 1000000000 /dev/zero | tr '\\0' a; echo; yes flood | head -n 150000; head -c 100000 /dev/urandom`,
      },
    );
    expect(built.code).toBe(0);
    expect(built.lines.some((line) => line.line.endsWith('a … line cut'))).toBe(true);
    expect(built.log).toContain('The log ends here: more than 100000 lines.');
    expect(built.last).toMatchObject({ logLines: built.lines.length });
    expect(built.lines.map((line) => line.n)).toEqual(built.lines.map((_, i) => i));
  }, 60_000);
});
