import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, type Task } from '@aws-sdk/client-ecs';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VerenClient } from '../../local/client/VerenClient.ts';
import { type GitServer, startGitServer } from '../support/gitServer.ts';
import { type OwnKafka, ownKafka } from '../support/kafka.ts';
import { type MiniStack, startMiniStack } from '../support/ministack.ts';
import { freePort, type OwnRedis, ownRedis } from '../support/redis.ts';
import { exampleRepository, ROOT, temporaryFolder } from '../support/veren.ts';

/** What `cdk` needs of the repository: a copy is deployed, so that a test may change it. */
const SOURCES = ['bin', 'lib', 'lambdas', 'contract', 'builder-images', 'cdk.json', 'package.json', 'tsconfig.json'];

export interface Ran {
  readonly code: number;
  /** Both streams as they came. */
  readonly output: string;
}

/** A checkout, an AWS emulator, Redis, Kafka, the bridge and a git host: what a contributor has who deploys stage `local`. */
export class EmulatorWorld {
  readonly dir: string;
  readonly checkout: string;
  readonly emulator: MiniStack;
  readonly token = randomBytes(24).toString('hex');
  /** The emulator as it is asked from outside. */
  readonly #ecs: ECSClient;
  readonly #sdk: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  readonly #bridge: ChildProcess;
  /** ECS as the deployed functions see it. */
  readonly #ecsOfFunctions: ECSClient;
  readonly git: GitServer;
  readonly #redis: OwnRedis;
  readonly #kafka: OwnKafka;
  readonly #removeFolder: () => Promise<void>;

  static async start(): Promise<EmulatorWorld> {
    const folder = await temporaryFolder();
    const ecsPort = await freePort();
    const repos = join(folder.path, 'repos');
    await mkdir(repos);
    const [redis, kafka, emulator, git] = await Promise.all([
      ownRedis(),
      ownKafka(),
      startMiniStack({ dir: folder.path, ecsUrl: `http://127.0.0.1:${ecsPort}` }),
      startGitServer({ repos }),
    ]);
    await checkoutFor(join(folder.path, 'checkout'), {
      '127.0.0.1:9092': kafka.brokers,
      'redis://127.0.0.1:6379': redis.url,
      'http://127.0.0.1:4566': emulator.url,
    });
    const bridge = await startBridge(folder.path, emulator, ecsPort);
    return new EmulatorWorld({ folder, redis, kafka, emulator, git, bridge, ecsPort });
  }

  private constructor(parts: {
    folder: { path: string; remove: () => Promise<void> };
    redis: OwnRedis;
    kafka: OwnKafka;
    emulator: MiniStack;
    git: GitServer;
    bridge: ChildProcess;
    ecsPort: number;
  }) {
    this.dir = parts.folder.path;
    this.checkout = join(this.dir, 'checkout');
    this.emulator = parts.emulator;
    this.git = parts.git;
    this.#redis = parts.redis;
    this.#kafka = parts.kafka;
    this.#bridge = parts.bridge;
    this.#removeFolder = parts.folder.remove;
    this.#sdk = {
      endpoint: parts.emulator.url,
      region: parts.emulator.region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    this.#ecs = new ECSClient(this.#sdk);
    this.#ecsOfFunctions = new ECSClient({ ...this.#sdk, endpoint: `http://127.0.0.1:${parts.ecsPort}` });
  }

  /** `npx cdklocal …` in the checkout, stage `local`. */
  async cdklocal(...args: string[]): Promise<Ran> {
    const { url, region } = this.emulator;
    const names = { AWS_REGION: region, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const child = spawn(join(this.checkout, 'node_modules/.bin/cdklocal'), [...args, '-c', 'stage=local'], {
      cwd: this.checkout,
      env: {
        PATH: process.env.PATH,
        HOME: this.dir,
        TMPDIR: join(this.dir, 'tmp'),
        CI: 'true',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        AWS_ENDPOINT_URL: url,
        AWS_ENDPOINT_URL_S3: url,
        ...names,
        AWS_ENVAR_ALLOWLIST: Object.keys(names).join(','),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    return { code, output };
  }

  /** Deploys every stack; gives the outputs of the pipeline's. */
  async deploy(): Promise<Ran & { readonly outputs: Record<string, string> }> {
    const file = join(this.dir, 'outputs.json');
    const ran = await this.cdklocal('deploy', '--all', '--require-approval', 'never', '--outputs-file', file);
    if (ran.code !== 0) throw new Error(`cdklocal deploy ended with ${ran.code}:\n${ran.output}`);
    return { ...ran, outputs: JSON.parse(await readFile(file, 'utf8'))['veren-local-pipeline'] };
  }

  /** Changes a file of the checkout. */
  async edit(path: string, change: (text: string) => string): Promise<void> {
    const file = join(this.checkout, path);
    const [before, after] = await readFile(file, 'utf8').then((text) => [text, change(text)]);
    if (before === after) throw new Error(`${path} is as it was`);
    await writeFile(file, after!);
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
    await exampleRepository(example, join(this.dir, 'repos'));
    return `${this.git.url}/${example}`;
  }

  async objects(prefix: string): Promise<string[]> {
    const s3 = new S3Client({ ...this.#sdk, forcePathStyle: true });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'veren-v2', Prefix: prefix }));
    return Contents.map(({ Key }) => Key!);
  }

  async task(arn: string, ecs: ECSClient = this.#ecs): Promise<Task> {
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: arn.split('/').at(-2), tasks: [arn] }));
    return tasks![0]!;
  }

  /** A task as the functions see it, once it has stopped. */
  async stopped(arn: string): Promise<Task> {
    for (;;) {
      const task = await this.task(arn, this.#ecsOfFunctions);
      if (task.lastStatus === 'STOPPED') return task;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Name of each function → hash of its code and the time of its last change. */
  async functions(): Promise<Record<string, string>> {
    const { Functions = [] } = await new LambdaClient(this.#sdk).send(new ListFunctionsCommand({}));
    return Object.fromEntries(Functions.map((f) => [f.FunctionName!, `${f.CodeSha256} ${f.LastModified}`]));
  }

  /** Ends everything and removes it; gives the command lines of processes that are still there. */
  async close(): Promise<string[]> {
    this.#bridge.kill('SIGTERM');
    if (this.#bridge.exitCode === null) await new Promise((resolve) => this.#bridge.once('exit', resolve));
    await this.emulator.stop();
    await Promise.all([this.#redis.stop(), this.#kafka.stop(), this.git.close()]);
    const left = processesOf(this.dir);
    await this.#removeFolder();
    return left;
  }
}

async function checkoutFor(checkout: string, addresses: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(checkout);
  for (const source of SOURCES) await cp(join(ROOT, source), join(checkout, source), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  const config = join(checkout, 'cdk.json');
  let text = await readFile(config, 'utf8');
  for (const [usual, here] of Object.entries(addresses)) {
    if (!text.includes(usual)) throw new Error(`cdk.json does not hold ${usual}`);
    text = text.replaceAll(usual, here);
  }
  await writeFile(config, text);
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

/** Whatever names the folder in its arguments or its environment: all that the world has started, and what that started. */
function processesOf(dir: string): string[] {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return ''; // it has ended
    }
  };
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `${read(pid, 'cmdline')}${read(pid, 'environ')}`.includes(dir))
    .map((pid) => read(pid, 'cmdline').replaceAll('\0', ' '));
}
