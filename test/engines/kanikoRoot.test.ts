import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Files, repository } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

/** What the builder starts as root when the build is over: this in its place tells whose it is, with what in memory. */
const CRANE = '#!/bin/sh\necho "PWNED $(id -u) $DOCKER_CONFIG" >&2\nexit 1\n';
const SERVER = 'require("http").createServer((q, r) => r.end("x")).listen(process.env.PORT)';
const service = (scripts: Record<string, string>): Files => ({
  'package.json': JSON.stringify({ name: 'evil', scripts: { start: 'node server.js', ...scripts } }),
  'package-lock.json': JSON.stringify({ name: 'evil', lockfileVersion: 3, packages: { '': { name: 'evil' } } }),
  'server.js': SERVER,
});

/**
 * Swaps names between a link to one of the builder's programs and a file of the step's own, for as long as it can: what
 * looks at such a name as root and then changes its owner has changed the program's.
 */
const SWAPPER = `
const fs = require('fs');
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => {});
const names = Array.from({ length: 20 }, (_, i) => '/app/race/' + i);
const evil = fs.readFileSync('/app/evil.sh');
// Kaniko is busy before and after the names, and meets each of them twice.
for (const folder of ['/app/a', '/app/z']) {
  fs.mkdirSync(folder);
  for (let i = 0; i < 2000; i++) fs.writeFileSync(folder + '/' + i, '');
}
fs.mkdirSync('/app/race');
for (const name of names) fs.symlinkSync('/kaniko/crane', name);
const until = Date.now() + 60000;
// What Kaniko keeps of a stage for the next one goes into a folder with the stage's number.
const saving = () => ['0', '1', 'deps/0', 'deps/1'].some((name) => fs.existsSync('/kaniko/' + name));
while (!saving() && Date.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
for (let link = false; Date.now() < until; link = !link) {
  for (const name of names)
    try {
      if (link) fs.symlinkSync('/kaniko/crane', '/home/node/next');
      else fs.writeFileSync('/home/node/next', 'mine');
      fs.renameSync('/home/node/next', name);
    } catch {}
  try { fs.writeFileSync('/kaniko/crane', evil); process.exit(); } catch {}
}
`;

/** A process whose first thread has ended looks like a dead one, and its other threads work on. */
const HEADLESS = `
import ctypes, threading, time
def work():
    end = time.time() + 60
    while time.time() < end:
        for folder in ('/app', '/tmp', '/home/node'):
            try: open(folder + '/headless-was-here', 'w').close()
            except OSError: pass
        time.sleep(0.05)
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(0)
`;

/** One chain of processes that are gone before anybody has read their number, and as many others as there may be. */
const FORKER = `
import os, sys, time
end = time.time() + 60
if sys.argv[1] == 'chain':
    while time.time() < end:
        if os.fork(): os._exit(0)
        try: open('/home/node/forker-was-here', 'w').close()
        except OSError: pass
while time.time() < end:
    try: os.fork()
    except OSError: time.sleep(0.001)
`;

describeWith(tooSlow ?? missingKaniko(), 'no step of a repository becomes root in the backend builder', () => {
  let kaniko: KanikoWorld;
  let count = 0;
  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());

  async function attack(files: Files, env: Record<string, string> = {}, again = false) {
    const projectId = `evil-${++count}`;
    const repo = repository(join(kaniko.world.dir, projectId), files);
    const changed = join(kaniko.dir, `changed-${count}`);
    const build = () =>
      kaniko.build({ ...repo, projectId, env: { GIT_TOKEN: 'a-token-1f5e', ...env }, changed, lateMs: 400_000 });
    if (again) expect((await build()).last).toMatchObject({ type: 'build.succeeded' });
    const built = await build();
    const lines = (file: string) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    // What Kaniko keeps of its stages and layers has the owner that it has in the image.
    const kanikos = String.raw`kaniko/(?:\d+|deps|layers|stages|work|build|Dockerfile)(?:/|$)`;
    const ours = lines(changed).filter(
      (path) => path.startsWith('./kaniko/') && !new RegExp(`^./${kanikos}`).test(path),
    );
    const steps = `(?:app|home/node|opt/veren/(?:tools|runtime))(?:/|$)|tmp/`;
    const owned = lines(`${changed}.owned`).filter((path) => !new RegExp(`^./(?:${steps}|${kanikos})`).test(path));
    const touched = [...ours, ...owned];
    return { ...built, touched };
  }

  test('a link where the source is copied to', async () => {
    const built = await attack({
      ...service({ postinstall: 'rm -f tool; ln -s /kaniko/crane tool' }),
      tool: { script: CRANE },
    });
    expect(JSON.stringify(built.last)).not.toContain('PWNED');
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(built.touched).toEqual([]);
  }, 300_000);

  test('a link in place of the folder above the service', async () => {
    const built = await attack(
      {
        ...service({}),
        'apps/api/package.json': JSON.stringify({
          name: 'api',
          scripts: { start: 'node ../../server.js', build: 'cd /app && rm -rf apps && ln -s /kaniko/veren apps' },
        }),
      },
      { BACKEND_PATH: 'apps/api', BUILDCOMMAND: 'npm run build' },
    );
    expect(built.touched).toEqual([]);
    expect(built.last).toMatchObject({
      error: {
        code: 'BUILD_FAILED',
        lastLines: expect.arrayContaining([
          expect.stringContaining('apps/api is not a folder of the service any more'),
        ]),
      },
    });
  }, 300_000);

  test('a process that outlives its step and swaps names under what Kaniko does as root', async () => {
    const built = await attack(
      {
        ...service({ build: 'setsid node swap.js >/dev/null 2>&1 </dev/null & sleep 2' }),
        'swap.js': SWAPPER,
        'evil.sh': CRANE,
      },
      { BUILDCOMMAND: 'npm run build' },
    );
    expect(JSON.stringify(built.last)).not.toContain('PWNED');
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(built.touched).toEqual([]);
  }, 300_000);

  test('a process that looks dead because its first thread is', async () => {
    const built = await attack(
      {
        ...service({ build: 'setsid python3 headless.py >/dev/null 2>&1 </dev/null & sleep 0.5' }),
        'headless.py': HEADLESS,
      },
      { BUILDCOMMAND: 'npm run build' },
    );
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(readFileSync(join(kaniko.dir, `changed-${count}`), 'utf8')).not.toContain('./tmp/headless-was-here');
  }, 300_000);

  test('processes that fork faster than they can be counted, up to the limit', async () => {
    const background = (how: string) => `setsid python3 fork.py ${how} >/dev/null 2>&1 </dev/null &`;
    const built = await attack(
      {
        ...service({ build: `${background('chain')} ${background('chain')} ${background('many')} sleep 1; exit 0` }),
        'fork.py': FORKER,
      },
      { BUILDCOMMAND: 'npm run build', VEREN_BUILD_PROCESSES: '300' },
    );
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(readFileSync(join(kaniko.dir, `changed-${count}`), 'utf8')).not.toContain('forker-was-here');
  }, 420_000);

  test('a link in one layer of the cache, and in the next one a folder of its name', async () => {
    const built = await attack(
      {
        ...service({ build: 'rm link; mkdir link; cp evil.sh link/crane' }),
        // Runs while a plain installation does, so its layer is kept.
        '.pnpmfile.cjs': 'require("fs").symlinkSync("/kaniko", "/app/link");',
        'evil.sh': { script: CRANE },
      },
      { BUILDCOMMAND: 'npm run build', INSTALLCOMMAND: 'pnpm install', PACKAGE_MANAGER: 'pnpm@9.15.9' },
      true,
    );
    expect(JSON.stringify(built.last)).not.toContain('PWNED');
    expect(built.last).toMatchObject({ type: 'build.succeeded' });
    expect(built.touched).toEqual([]);
  }, 400_000);
});
