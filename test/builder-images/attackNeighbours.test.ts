import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { useWorld } from './bundle.ts';
import { type Files, repository } from './harness.ts';

/** What a build could reach of another one that runs beside it, as another user. Needs root and Linux. */
const possible = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
if (!possible && process.env.VEREN_REQUIRE_ENGINES === '1') throw new Error('the attack suite needs root on Linux');

const asUser = (uid: number, command: string) =>
  execFileSync(
    '/usr/bin/setpriv',
    ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--', '/bin/sh', '-c', command],
    { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin' } },
  ).trim();

(possible ? describe : describe.skip)(`builds side by side${possible ? '' : ' (needs root on Linux)'}`, () => {
  const world = useWorld();
  const uid = 20_006;
  const own = { VEREN_BUILD_UID: `${uid}`, VEREN_BUILD_GID: `${uid}`, OUTPUT_DIR: 'dist' };
  const start = (name: string, files: Files, env: Record<string, string>) =>
    world().build({ projectId: name, ...repository(join(world().dir, 'repos', name), files) }, { ...own, ...env });

  test('another build’s user reads nothing of a private repository and of what is made of it', async () => {
    const building = start(
      'private',
      { 'source.js': 'a secret of the repository' },
      { BUILDCOMMAND: 'mkdir dist; cp source.js dist; echo token > $HOME/.token; echo half > $TMPDIR/x; sleep 3' },
    );
    const work = join(world().dir, 'work');
    while (!existsSync(join(work, 'private/source/dist/source.js'))) await new Promise((done) => setTimeout(done, 50));
    const look = `find ${work}/ -mindepth 2 2>/dev/null; cat ${work}/private/*/* ${work}/private/home/.token 2>/dev/null; true`;
    expect([asUser(uid + 1, look), asUser(uid, look)]).toEqual(['', expect.stringContaining('a secret of')]);
    expect((await building).code).toBe(0);
    expect(readdirSync(work)).toEqual([]);
  }, 60_000);

  test('names that are no text and folders deeper than a path may be long: the work folder goes all the same', async () => {
    mkdirSync(join(world().dir, 'work'), { recursive: true });
    const build = `mkdir dist; echo x > dist/index.html; touch "$(printf 'a\\377b')"; mkdir "$(printf 'd\\377')"; : > "$(printf 'd\\377/x')"
i=0; while [ $i -lt 40 ]; do n=$(printf '%0200d' 0); mkdir $n && cd -P $n || break; i=$((i+1)); done; mkdir closed; : > closed/x; chmod 0 closed`;
    const built = await start('odd', { 'index.html': 'x' }, { BUILDCOMMAND: build });
    expect([built.code, built.output]).toEqual([0, expect.any(String)]);
    expect([readdirSync(join(world().dir, 'work')), built.output]).toEqual([[], expect.any(String)]);
  }, 60_000);
});
