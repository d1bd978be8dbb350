import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, type Task } from '@aws-sdk/client-ecs';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VerenClient } from '../../cli/client/VerenClient.ts';
import { freePort } from '../support/freePort.ts';
import { startGitServer } from '../support/gitServer.ts';
import { ownKafka } from '../support/kafka.ts';
import { type MiniStack, startMiniStack } from '../support/ministack.ts';
import { ownRedis } from '../support/redis.ts';
import { exampleRepository, ROOT, temporaryFolder } from '../support/veren.ts';
import { Checkout } from './emulatorCheckout.ts';

interface Parts {
  readonly dir: string;
  readonly checkout: Checkout;
  readonly emulator: MiniStack;
  readonly ecsUrl: string;
  readonly gitUrl: string;
  /** Ends everything, the last started first, and removes the folder; gives the command lines of what is still there. */
  readonly close: () => Promise<string[]>;
}

/** A checkout, an AWS emulator, Redis, Kafka, the bridge and a git host: what a contributor has who deploys stage `local`. */
export class EmulatorWorld {
  readonly token = randomBytes(24).toString('hex');
  readonly checkout: Checkout;
  readonly close: () => Promise<string[]>;
  readonly #parts: Parts;
  readonly #sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };

  static async start(): Promise<EmulatorWorld> {
    const { path: dir, remove } = await temporaryFolder();
    const closers: (() => Promise<unknown>)[] = [];
    const opened = <T>(engine: T, end: (engine: T) => Promise<unknown>): T => {
      closers.push(() => end(engine));
      return engine;
    };
    const close = async () => {
      for (const end of closers.splice(0).reverse()) await end();
      const left = processesNaming(dir);
      // The emulator's and the bridge's output are in it.
      if (process.env.VEREN_KEEP === '1') console.log(`kept: ${dir}`);
      else await remove();
      return left;
    };
    try {
      const [ecsPort, repos] = [await freePort(), join(dir, 'repos')];
      await mkdir(repos);
      const ecsUrl = `http://127.0.0.1:${ecsPort}`;
      const redis = opened(await ownRedis(), (it) => it.stop());
      const kafka = opened(await ownKafka(), (it) => it.stop());
      const emulator = opened(await startMiniStack({ dir, ecsUrl }), (it) => it.stop());
      const git = opened(await startGitServer({ repos }), (it) => it.close());
      opened(await startBridge(dir, emulator, ecsPort), ended);
      const checkout = await Checkout.make(join(dir, 'checkout'), emulator, {
        '127.0.0.1:9092': kafka.brokers,
        'redis://127.0.0.1:6379': redis.url,
        'http://127.0.0.1:4566': emulator.url,
      });
      return new EmulatorWorld({ dir, checkout, emulator, ecsUrl, gitUrl: git.url, close });
    } catch (e) {
      await close();
      throw e;
    }
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.checkout = parts.checkout;
    this.close = parts.close;
    const { url: endpoint, region } = parts.emulator;
    this.#sdk = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  /** Makes the token known, as docs/deploy.md does it; gives a client of the deployed API. */
  async client(apiUrl: string): Promise<VerenClient> {
    const hash = createHash('sha256').update(this.token).digest('hex');
    const SecretString = JSON.stringify({ alice: [hash] });
    await new SecretsManagerClient(this.#sdk).send(
      new PutSecretValueCommand({ SecretId: 'veren/local/tokens', SecretString }),
    );
    return new VerenClient({ baseUrl: apiUrl, token: this.token });
  }

  /** One of the examples on the git host; its URL. */
  async repository(example: string): Promise<string> {
    await exampleRepository(example, join(this.#parts.dir, 'repos'));
    return `${this.#parts.gitUrl}/${example}`;
  }

  async objects(prefix: string): Promise<string[]> {
    const s3 = new S3Client({ ...this.#sdk, forcePathStyle: true });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'veren-v2', Prefix: prefix }));
    return Contents.map(({ Key }) => Key!);
  }

  /** A task as the emulator shows it. */
  async task(arn: string, endpoint = this.#sdk.endpoint): Promise<Task> {
    const ecs = new ECSClient({ ...this.#sdk, endpoint });
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: arn.split('/').at(-2), tasks: [arn] }));
    return tasks![0]!;
  }

  /** A task as the functions see it, once it has stopped. */
  async stopped(arn: string): Promise<Task> {
    for (;;) {
      const task = await this.task(arn, this.#parts.ecsUrl);
      if (task.lastStatus === 'STOPPED') return task;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Numbers of the builders' processes. */
  builders(): number[] {
    return processesNaming(join(this.#parts.dir, 'bridge/builder')).map((line) => Number.parseInt(line, 10));
  }

  /** Name of each function → hash of its code and the time of its last change. */
  async functions(): Promise<Record<string, string>> {
    const { Functions = [] } = await new LambdaClient(this.#sdk).send(new ListFunctionsCommand({}));
    return Object.fromEntries(Functions.map((f) => [f.FunctionName!, `${f.CodeSha256} ${f.LastModified}`]));
  }
}

/** `npm run emulator`, with a data folder of its own. */
async function startBridge(dir: string, emulator: MiniStack, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/emulator.ts', '--data', join(dir, 'bridge')], {
    cwd: ROOT,
    env: { ...process.env, AWS_ENDPOINT_URL: emulator.url, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(join(dir, 'bridge.log'));
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk) => String(chunk).includes('Bridge of') && resolve());
    child.once('exit', (code) => reject(new Error(`the bridge ended with ${code}; see bridge.log`)));
  });
  for (const stream of [child.stdout!, child.stderr!]) stream.pipe(output, { end: false });
  await ready;
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

/**
 * Processes with that text in their arguments or environment, as `pid command line`. With the world's folder: all that it has
 * started, and what that started.
 */
function processesNaming(text: string): string[] {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return ''; // it has ended
    }
  };
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `${read(pid, 'cmdline')}${read(pid, 'environ')}`.includes(text))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`);
}
