import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../builder-images/harness.ts';
import { describeWith, tooSlow } from '../support/engines.ts';
import { KanikoWorld, missingKaniko } from './kanikoWorld.ts';

const missingLanguages = (): string | null => {
  const image = join(process.env.KANIKO_HOME ?? '', 'registry/docker/registry/v2/repositories/library/python');
  return missingKaniko() ?? (existsSync(image) ? null : 'KANIKO_HOME has no images of Python: run .ci/kaniko.sh again');
};

/** A project's own build backend, and a package of the environment that every Python loads: what it may, and what it may not. */
const ATTACK = String.raw`
import glob, os, site, subprocess, sys
loot = '/app/loot'; os.makedirs(loot, exist_ok=True)
def note(name, text):
    with open(f'{loot}/{name}', 'a') as f: f.write(str(text) + '\n')
note('id', os.getuid())
for p in glob.glob('/proc/[0-9]*/environ'):
    try: note('environ', open(p, 'rb').read())
    except OSError: pass
for f in ['/kaniko/executor', '/kaniko/crane', '/kaniko/bin/node', '/opt/veren/run', '/opt/veren/libraries.sh', '/etc/passwd',
          '/etc/ld.so.preload', '/usr/bin/setpriv', '/usr/bin/ldd', '/usr/local/bin/python3', '/usr/bin/python3.11']:
    try: open(f, 'a').write('evil'); note('changed', f)
    except OSError: pass
    try: os.rename(f, f + '.evil'); note('changed', f)
    except OSError: pass
for command in ['su -c id', 'unshare -Ur id', 'mount -t tmpfs tmpfs /mnt']:
    try:
        if subprocess.run(command.split(), capture_output=True, timeout=5, stdin=subprocess.DEVNULL).returncode == 0: note('gained', command)
    except Exception: pass
# Every Python that starts in the environment runs this, later steps among them.
packages = site.getsitepackages()[0]
open(packages + '/evil.pth', 'w').write("import os; open('/tmp/ran-as', 'a').write(str(os.getuid()) + '\\n')\n")
# What is moved and copied afterwards: links where folders are expected, and a program that is linked with a file of root's.
for place in ['/opt/veren/runtime/libraries', '/opt/veren/runtime/kaniko', '/app/kaniko']:
    try: os.symlink('/kaniko', place)
    except OSError as e: note('failed', e)
subprocess.Popen(['setsid', 'sh', '-c', 'while :; do for d in /app /opt/veren/runtime /etc /usr/local/bin; do echo evil >$d/left-behind; done; sleep 0.2; done'],
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
`;

const GO_SOURCE = [
  'package main',
  'import ("fmt"; "net/http"; "os")',
  'func main() {',
  '\thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "go %d", os.Getuid()) })',
  '\tpanic(http.ListenAndServe(":"+os.Getenv("PORT"), nil))',
  '}',
  '',
].join('\n');

describeWith(tooSlow ?? missingLanguages(), 'Python and Go on Kaniko', () => {
  let kaniko: KanikoWorld;
  beforeAll(async () => {
    kaniko = await new KanikoWorld().start();
  }, 60_000);
  afterAll(() => kaniko.close());

  const build = async (name: string, files: Parameters<typeof repository>[1], env: Record<string, string>) => {
    const built = await kaniko.build({
      ...repository(join(kaniko.world.dir, name), files),
      projectId: name,
      env: { PACKAGE_MANAGER: '', ...env },
    });
    if (built.code !== 0)
      throw new Error([built.output, built.log.slice(-3_000), JSON.stringify(built.last)].join('\n'));
    return built;
  };

  test('Go: built, small, and answers as node', async () => {
    const built = await build(
      'goservice',
      { 'go.mod': 'module example.com/s\n\ngo 1.22\n', 'main.go': GO_SOURCE },
      {
        RUNTIME: 'go',
        RUNTIME_VERSION: '1.26',
        INSTALLCOMMAND: 'go mod download',
        BUILDCOMMAND: 'go build -o veren-service .',
        STARTCOMMAND: './veren-service',
      },
    );
    const service = await kaniko.run(kaniko.pull(built.tag));
    expect(service.answer).toEqual({ status: 200, body: 'go 1000' });
    expect((await kaniko.stop(service)).ms).toBeLessThan(5_000);
  }, 300_000);

  test('Python: a hostile installation gets no root, no credentials and nothing of ours; the service starts', async () => {
    const before = execFileSync('sha256sum', [join(kaniko.home, 'root/kaniko/executor')], { encoding: 'utf8' });
    const built = await build(
      'hostilepython',
      {
        'requirements.txt': 'flask==3.0.3\ngunicorn==22.0.0\n',
        'attack.py': ATTACK,
        'app.py':
          'import os\nfrom flask import Flask\napp = Flask(__name__)\n\n@app.get("/")\ndef home():\n    return f"python {os.getuid()}"\n',
        'link-environ': { link: '/proc/1/environ' },
      },
      {
        RUNTIME: 'python',
        RUNTIME_VERSION: '3.11',
        INSTALLCOMMAND: 'pip install -r requirements.txt && python attack.py',
        BUILDCOMMAND: 'python -c 1 && python attack.py',
        STARTCOMMAND: 'gunicorn app:app --bind 0.0.0.0:$PORT',
      },
    );
    const image = kaniko.pull(built.tag);
    const loot = (name: string) => {
      const file = join(image.root, 'app/loot', name);
      return existsSync(file) ? readFileSync(file, 'latin1') : '';
    };
    // Both steps ran it, as node.
    expect(loot('id')).toBe('1000\n1000\n');
    for (const secret of [built.env.AWS_ACCESS_KEY_ID, built.env.AWS_SECRET_ACCESS_KEY, built.env.AWS_SESSION_TOKEN])
      expect(loot('environ')).not.toContain(secret);
    expect(loot('environ')).not.toBe('');
    expect([loot('changed'), loot('gained')]).toEqual(['', '']);
    // Below /app and the environment it may write what it likes while it runs; nowhere else.
    for (const place of ['etc', 'usr/local/bin', 'kaniko'])
      expect(existsSync(join(image.root, place, 'left-behind'))).toBe(false);
    expect(execFileSync('sha256sum', [join(kaniko.home, 'root/kaniko/executor')], { encoding: 'utf8' })).toBe(before);
    const service = await kaniko.run(image);
    expect(service.answer).toEqual({ status: 200, body: 'python 1000' });
    await kaniko.stop(service);
  }, 400_000);
});
