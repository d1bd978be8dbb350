import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Kafka } from 'kafkajs';
import type { KafkaEnv } from '../../contract/kafka-env.ts';
import { kafkaConfig } from '../../lambdas/shared/adapters/kafka/config.ts';
import { onPath } from './engines.ts';
import { freePort } from './freePort.ts';

const run = promisify(execFile);
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
  readonly env: KafkaEnv;
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

/** Protocol and user of a secured broker's listener. */
const SECURITY = {
  plaintext: { protocol: 'PLAINTEXT' },
  tls: { protocol: 'SSL' },
  scram: { protocol: 'SASL_SSL', user: { KAFKA_USERNAME: 'veren', KAFKA_PASSWORD: 'not-a-secret' } },
} as const;

/**
 * One real broker in KRaft mode, being its own controller. `env` is how a client reaches it; with `tls` and `scram` it has a
 * certificate of its own, and `scram` one user.
 */
export async function ownKafka(security: keyof typeof SECURITY = 'plaintext'): Promise<OwnKafka> {
  const dir = await mkdtemp(join(tmpdir(), 'veren-kafka-'));
  const [port, controller] = [await freePort(), await freePort()];
  const libs = existsSync(join(KAFKA_HOME!, 'libs')) ? join(KAFKA_HOME!, 'libs') : KAFKA_HOME!;
  const java = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(libs, '*')];
  const config = join(dir, 'server.properties');
  const { protocol } = SECURITY[security];
  const env: KafkaEnv = {
    KAFKA_BROKERS: `127.0.0.1:${port}`,
    KAFKA_SECURITY: security,
    ...(security !== 'plaintext' && { KAFKA_CA_FILE: await certificate(dir) }),
    ...(security === 'scram' && SECURITY.scram.user),
  };
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `${protocol}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `${protocol}://127.0.0.1:${port}`,
    'inter.broker.listener.name': protocol,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,${protocol}:${protocol}`,
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 3,
    ...(security !== 'plaintext' && {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': join(dir, 'key-and-certificate.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': env.KAFKA_CA_FILE!,
    }),
    ...(security === 'scram' && {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    }),
  };
  await writeFile(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const format = [...java, 'kafka.tools.StorageTool', 'format', '-t', 'dmVyZW4tdGVzdC1jbHVzdGVy', '-c', config];
  if (security === 'scram') {
    const { KAFKA_USERNAME: name, KAFKA_PASSWORD: password } = SECURITY.scram.user;
    format.push('--add-scram', `SCRAM-SHA-512=[name=${name},password=${password}]`);
  }
  await run(JAVA!, format);

  let child: ChildProcess | null = null;
  async function start() {
    child = spawn(JAVA!, [...java, 'kafka.Kafka', config], { stdio: 'ignore', cwd: dir });
    try {
      await answering(env, child);
    } catch (e) {
      // One that did not start in time is not left to start later.
      await kill('SIGKILL');
      throw e;
    }
  }
  async function kill(signal: 'SIGTERM' | 'SIGKILL') {
    const running = child;
    child = null;
    if (running) await ended(running, signal);
  }
  await start();
  return {
    env,
    brokers: env.KAFKA_BROKERS,
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

/** Makes a key and a certificate for the loopback address that vouches for itself; gives the certificate's file. */
async function certificate(dir: string): Promise<string> {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const both = `${await readFile(key, 'utf8')}${await readFile(cert, 'utf8')}`;
  await writeFile(join(dir, 'key-and-certificate.pem'), both);
  return cert;
}

async function answering(env: KafkaEnv, broker: ChildProcess): Promise<void> {
  const config = kafkaConfig(env, { clientId: 'test', region: 'local' });
  const kafka = new Kafka({ ...config, retry: { retries: 0 } });
  // Half a minute of processor time on a machine that does much else takes minutes.
  const until = Date.now() + 180_000;
  for (;;) {
    const admin = kafka.admin();
    try {
      await admin.connect();
      await admin.listTopics();
      return;
    } catch (e) {
      if (Date.now() > until || broker.exitCode !== null) throw e;
      await new Promise((resolve) => setTimeout(resolve, 200));
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }
}
