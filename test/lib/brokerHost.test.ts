import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './support/synth.ts';

const run = promisify(execFile);
const HOST_SCRIPT = join(ROOT, 'lib', 'constructs', 'kafka-broker', 'host.sh');
const HOST = 'kafka.veren-starter.internal';
/** Some dozens of processes each, on a machine that does much else. */
const MINUTES = 120_000;

/** Programs that the instance has, as far as `prepare` calls them; each call is a line in `calls`. `cloud` is what AWS keeps. */
const PROGRAMS: Readonly<Record<string, string>> = {
  curl: 'echo i-1',
  docker: '',
  chown: '',
  mount: 'exit $MOUNT_CODE',
  xfs_growfs: '',
  'mkfs.xfs': '',
  mountpoint: 'exit 1',
  dnf: '',
  systemctl: '[[ "$*" != "$BROKEN" ]]',
  aws: `case "$1 $2" in
"ssm get-parameter")
  [[ -z "\${SSM_ERROR:-}" ]] || { echo "$SSM_ERROR" >&2; exit 254; }
  [[ -e cloud/keys ]] || { echo "An error occurred (ParameterNotFound)" >&2; exit 254; }
  cat cloud/keys ;;
"ssm put-parameter") printf %s "$8" >cloud/keys ;;
"secretsmanager get-secret-value") cat "cloud/$4" ;;
"secretsmanager put-secret-value") printf %s "$6" >"cloud/$4" ;;
esac`,
};

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-host-'));
  for (const folder of ['bin', 'cloud', 'devices', 'units']) await mkdir(join(dir, folder));
  for (const [name, body] of Object.entries(PROGRAMS)) {
    const file = join(dir, 'bin', name);
    await writeFile(file, `#!/bin/bash\ncd ${dir}\necho "${name} $1 $2" >>calls\n${body}\n`);
    await chmod(file, 0o755);
  }
  const logins = { platform: 'p-1', builders: 'b-1' };
  for (const [username, password] of Object.entries(logins))
    await writeFile(join(dir, 'cloud', username), JSON.stringify({ username, password }));
  await writeFile(join(dir, 'cloud', 'authority'), '{}');
  const names = [
    'DEFAULT_REGION=r',
    'ZONE=Z1',
    `HOST=${HOST}`,
    'LOG_GROUP=/g',
    'IMAGE=1.ecr/kafka:tag',
    'VOLUME=vol-1',
  ];
  const secrets = [
    'KEY_PARAMETER=/k',
    'AUTHORITY_SECRET=authority',
    'PLATFORM_SECRET=platform',
    'BUILDERS_SECRET=builders',
  ];
  const lines = [...names, ...secrets].map((line) => (line.startsWith('DEFAULT') ? `AWS_${line}` : `KAFKA_${line}`));
  await writeFile(join(dir, 'settings'), `${lines.join('\n')}\n`);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const DISK = () => join(dir, 'devices', 'nvme-Amazon_Elastic_Block_Store_vol1');
const disk = (content: Buffer) => writeFile(DISK(), content);
const prepare = (instance = 'first', env: Record<string, string> = {}) => host('prepare', instance, env);
const host = (command: string, instance = 'first', env: Record<string, string> = {}) =>
  run('bash', [HOST_SCRIPT, command], {
    env: {
      PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
      VEREN_KAFKA_SETTINGS: join(dir, 'settings'),
      VEREN_KAFKA_STATE: join(dir, instance),
      VEREN_KAFKA_DATA: join(dir, 'data'),
      VEREN_KAFKA_DEVICES: join(dir, 'devices'),
      VEREN_KAFKA_UNITS: join(dir, 'units'),
      ...env,
    },
  });
const calls = async () => (await readFile(join(dir, 'calls'), 'utf8')).split('\n').map((line) => line.trim());
const keyOf = (instance: string, name: string) => readFile(join(dir, instance, 'keys', name), 'utf8');

describe('what a new instance of the broker does before Kafka starts', () => {
  it(
    'formats a new disk, and no other',
    async () => {
      await disk(Buffer.alloc(2 << 20));
      await prepare();
      expect(await calls()).toContain(`mkfs.xfs -q ${DISK()}`);
      await writeFile(join(dir, 'calls'), '');
      const used = Buffer.alloc(2 << 20);
      used.write('something', 70_000);
      await disk(used);
      await prepare();
      await expect(prepare('first', { MOUNT_CODE: '32' })).rejects.toThrow();
      expect((await calls()).filter((call) => call.startsWith('mkfs'))).toEqual([]);
    },
    MINUTES,
  );

  it(
    'makes an authority once, which is trusted from then on, publishes its certificate, and keeps no key of it',
    async () => {
      await disk(Buffer.alloc(1 << 20));
      await prepare();
      const { certificate } = JSON.parse(await readFile(join(dir, 'cloud', 'authority'), 'utf8'));
      const [authority, broker] = [
        new X509Certificate(certificate),
        new X509Certificate(await keyOf('first', 'broker.pem')),
      ];
      expect([authority.ca, broker.ca]).toEqual([true, false]);
      expect(broker.checkIssued(authority) && broker.verify(authority.publicKey)).toBe(true);
      expect(broker.checkHost(HOST)).toBe(HOST);
      expect(broker.checkHost('example.com')).toBeUndefined();
      const keys = (await readFile(join(dir, 'cloud', 'keys'), 'utf8')).match(/BEGIN PRIVATE KEY/g);
      expect(keys).toHaveLength(1);
      expect([await keyOf('first', 'platform'), await keyOf('first', 'builders')]).toEqual(['p-1', 'b-1']);

      // A new instance, with a new disk.
      await prepare('second');
      for (const name of ['broker.pem', 'authority.pem'])
        expect(await keyOf('second', name)).toBe(await keyOf('first', name));
      const writes = (await calls()).filter((call) => /^aws (ssm put|secretsmanager put)/.test(call));
      expect(writes).toEqual(['aws ssm put-parameter', 'aws secretsmanager put-secret-value']);
    },
    MINUTES,
  );

  it('makes no second authority where the first one cannot be read', async () => {
    await disk(Buffer.alloc(1 << 20));
    const denied = { SSM_ERROR: 'An error occurred (AccessDeniedException)' };
    await expect(prepare('first', denied)).rejects.toThrow(/AccessDenied/);
    expect((await calls()).filter((call) => /put-/.test(call))).toEqual([]);
  });
});

const UNHEALTHY = 'aws autoscaling set-instance-health';

describe('an instance of the broker on which Kafka does not start', () => {
  it('is watched before anything is fetched, and asks for its end where the installation fails', async () => {
    await host('install');
    const done = (await calls()).filter(Boolean);
    const timers = await readdir(join(dir, 'units'));
    expect(timers).toContain('veren-kafka-watch.timer');
    // `systemctl enable --now` of the timer, of Docker and of the broker.
    expect(done).toEqual([
      ...['systemctl daemon-reload', 'systemctl enable --now', 'dnf install --quiet'],
      ...['systemctl enable --now', 'systemctl enable --now'],
    ]);
    await expect(host('install', 'first', { BROKEN: 'enable --now veren-kafka.service' })).rejects.toThrow();
    expect(await calls()).toContain(UNHEALTHY);
  });

  it(
    'has half an hour until its first answer, and ten minutes after it',
    async () => {
      const failuresUntilReplaced = async () => {
        await writeFile(join(dir, 'calls'), '');
        for (let times = 1; times < 100; times++) {
          await host('watch');
          if ((await calls()).includes(UNHEALTHY)) return times;
        }
        return null;
      };
      expect(await failuresUntilReplaced()).toBe(60);
      await writeFile(join(dir, 'first', 'answered'), '');
      await rm(join(dir, 'first', 'failures'));
      expect(await failuresUntilReplaced()).toBe(20);
    },
    MINUTES,
  );
});
