import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { onPath } from './engines.ts';
import { freePort } from './redis.ts';

const JAVA = onPath('java');
const KCAT = onPath('kcat');
const { KAFKA_BROKERS, KAFKA_HOME } = process.env;

/** Why a suite cannot have a real broker, or null. */
export const kafkaMissing =
  KAFKA_BROKERS || (KAFKA_HOME && JAVA)
    ? null
    : 'no KAFKA_BROKERS, and no KAFKA_HOME (a folder of jars) with java on PATH';
/** For suites that stop and start the broker. */
export const ownKafkaMissing = KAFKA_HOME && JAVA ? null : 'no KAFKA_HOME (a folder of jars) with java on PATH';
/** librdkafka's mock cluster: a double of the protocol, made by kcat. */
export const mockKafkaMissing = KCAT ? null : 'no kcat on PATH';

export interface KafkaEngine {
  readonly brokers: string;
  stop(): Promise<void>;
}

export interface OwnKafka extends KafkaEngine {
  /** Ends the broker as a shutdown does, or with `kill -9`. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  start(): Promise<void>;
}

export async function anyKafka(): Promise<KafkaEngine> {
  return KAFKA_BROKERS ? { brokers: KAFKA_BROKERS, stop: async () => {} } : ownKafka();
}

/** A group id that nobody else uses. */
export const group = () => `test-${randomUUID()}`;

export async function mockKafka(): Promise<KafkaEngine> {
  const args = ['-C', '-b', '127.0.0.1:1', '-t', 'nothing', '-X', 'test.mock.num.brokers=1', '-d', 'mock', '-q'];
  const child = spawn(KCAT!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const brokers = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('kcat ended.')));
    createInterface({ input: child.stderr! }).on('line', (line) => {
      const found = /bootstrap\.servers=([\d.:]+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
  });
  return { brokers, stop: () => ended(child, 'SIGKILL') };
}

/** One real broker in KRaft mode, being its own controller. */
export async function ownKafka(): Promise<OwnKafka> {
  const dir = await mkdtemp(join(tmpdir(), 'veren-kafka-'));
  const [port, controller] = [await freePort(), await freePort()];
  const libs = existsSync(join(KAFKA_HOME!, 'libs')) ? join(KAFKA_HOME!, 'libs') : KAFKA_HOME!;
  const java = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(libs, '*')];
  const config = join(dir, 'server.properties');
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 3,
  };
  await writeFile(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const format = [...java, 'kafka.tools.StorageTool', 'format', '-t', 'dmVyZW4tdGVzdC1jbHVzdGVy', '-c', config];
  await promisify(execFile)(JAVA!, format);

  let child: ChildProcess | null = null;
  async function start() {
    child = spawn(JAVA!, [...java, 'kafka.Kafka', config], { stdio: 'ignore', cwd: dir });
    await answering(`127.0.0.1:${port}`);
  }
  async function kill(signal: 'SIGTERM' | 'SIGKILL') {
    const running = child;
    child = null;
    if (running) await ended(running, signal);
  }
  await start();
  return {
    brokers: `127.0.0.1:${port}`,
    start,
    kill,
    async stop() {
      await kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

async function answering(broker: string): Promise<void> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const until = Date.now() + 60_000;
  for (;;) {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await admin.listTopics();
      return;
    } catch (e) {
      if (Date.now() > until) throw e;
      await new Promise((resolve) => setTimeout(resolve, 200));
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }
}
