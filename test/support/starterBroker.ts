import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { freePort } from './freePort.ts';
import { ROOT } from './veren.ts';

const run = promisify(execFile);
const SCRIPTS = join(ROOT, 'lib', 'constructs', 'kafka-broker');
const HOST = 'localhost';

export interface StarterBroker {
  /** As functions have it. */
  readonly env: KafkaEnv;
  /** As builders have it. */
  readonly builderEnv: KafkaEnv;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves when clients can connect. */
  start(): Promise<void>;
  /** Everything that the volume held. */
  loseData(): Promise<void>;
  stop(): Promise<void>;
}

/** The broker of stage starter, from the scripts that its instance and image run, without the instance and the container. */
export async function startStarterBroker(): Promise<StarterBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'veren-starter-'));
  const [data, keys] = [join(dir, 'data'), join(dir, 'keys')];
  await Promise.all([mkdir(data), mkdir(keys)]);
  const [port, local, controller] = [await freePort(), await freePort(), await freePort()];
  const home = process.env.KAFKA_HOME!;
  const settings = {
    ...{ KAFKA_HOST: HOST, KAFKA_PORT: port, KAFKA_LOCAL_PORT: local, KAFKA_CONTROLLER_PORT: controller },
    ...{ KAFKA_DATA: data, KAFKA_KEYS: keys, KAFKA_HEAP_MIB: 320, KAFKA_RETENTION_BYTES: 100_000_000 },
    KAFKA_LIBS: existsSync(join(home, 'libs')) ? join(home, 'libs') : home,
    KAFKA_TOPICS: ['deployment-events', 'build-events', 'build-logs'].map((t) => `${t}:3:1209600000`).join(' '),
  };
  const env = {
    PATH: process.env.PATH,
    ...Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, String(v)])),
  };
  await run('bash', [join(SCRIPTS, 'authority.sh'), keys, HOST]);
  const passwords = { platform: 'password-of-the-platform', builders: 'password-of-builders' };
  for (const [user, password] of Object.entries(passwords)) await writeFile(join(keys, user), password);
  const certificate = await readFile(join(keys, 'authority.pem'), 'utf8');
  const login = (user: keyof typeof passwords): KafkaEnv => ({
    KAFKA_BROKERS: `${HOST}:${port}`,
    KAFKA_SECURITY: 'scram',
    KAFKA_USERNAME: user,
    KAFKA_PASSWORD: passwords[user],
    KAFKA_CA: certificate,
  });

  let child: ChildProcess | null = null;
  async function kill() {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    // The script, before it has become the broker, has children.
    process.kill(-running.pid!, 'SIGKILL');
    await ended;
  }
  const script = join(SCRIPTS, 'broker.sh');
  async function start() {
    const started = spawn('bash', [script], { env, stdio: 'ignore', detached: true });
    child = started;
    const until = Date.now() + 600_000;
    while (!(await listens(port)))
      if (Date.now() > until || started.exitCode !== null) throw new Error('the broker does not start');
      else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await start();
  } catch (e) {
    await kill();
    throw e;
  }
  return {
    env: login('platform'),
    builderEnv: login('builders'),
    kill,
    start,
    loseData: async () => {
      await rm(data, { recursive: true, force: true });
      await mkdir(data);
    },
    stop: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() && true));
    socket.once('error', () => resolve(false));
  });
