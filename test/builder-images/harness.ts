import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Objects } from '../../builder-images/shared/object-calls.ts';
import { s3Objects } from '../../builder-images/shared/objects.ts';
import type { Target } from '../../contract/builders.ts';
import { type BuilderEvent, BuilderEventSchema, LogBatchSchema } from '../../contract/events.ts';
import type { Lane } from '../../contract/lanes.ts';
import { s3Keys, TOPICS } from '../../contract/names.ts';
import { sessionPolicy } from '../../lambdas/build-worker/services/credentials.ts';
import { type CredentialStore, createCredentialStore } from '../../local/awsProtocol/credentials.ts';
import { PolicySchema } from '../../local/awsProtocol/policy.ts';
import { type KafkaEndpointOptions, startKafkaEndpoint } from '../../local/kafka/endpoint.ts';
import { startS3Endpoint } from '../../local/s3/endpoint.ts';

/** Everything that a builder talks to, on loopback, and a way to run its entry point as a task would. */
// Benchmarks run as ES modules from the root of the project, tests as CommonJS.
export const ROOT = typeof __dirname === 'undefined' ? process.cwd() : resolve(__dirname, '../..');
export const BUCKET = 'sites';

export type Files = Readonly<Record<string, string | Buffer | { readonly link: string } | { readonly script: string }>>;

export function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(full, content);
    else if ('link' in content) symlinkSync(content.link, full);
    else {
      writeFileSync(full, content.script);
      chmodSync(full, 0o755);
    }
  }
}

const GIT_ENV = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 't',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_COMMITTER_NAME: 't',
  GIT_COMMITTER_EMAIL: 't@example.org',
};
export function git(folder: string, ...args: string[]): string {
  const config = ['-c', 'init.defaultBranch=main', '-c', 'safe.directory=*'];
  return execFileSync('git', [...config, '-C', folder, ...args], {
    encoding: 'utf8',
    env: { ...GIT_ENV, HOME: folder },
  }).trim();
}

/** A repository with one commit; `commit` again for the next. */
export function repository(folder: string, files: Files): { url: string; commit: string } {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet');
  return { url: `file://${folder}`, commit: commitAll(folder, files) };
}
export function commitAll(folder: string, files: Files): string {
  writeFiles(folder, files);
  git(folder, 'add', '-A', '-f');
  git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'c');
  return git(folder, 'rev-parse', 'HEAD');
}

export interface Task {
  readonly env: Readonly<Record<string, string>>;
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
}

let ids = 0;
/** Grows, as a ULID does. */
export const deploymentId = () => `01k${String(Date.now()).padStart(14, '0')}${String(++ids).padStart(9, '0')}`;

export class World {
  readonly dir = mkdtempSync(join(tmpdir(), 'veren-builder-'));
  readonly events: BuilderEvent[] = [];
  readonly lines: { n: number; stream: string; line: string; deploymentId: string }[] = [];
  s3!: S3Client;
  s3Url = '';
  broker = '';
  #credentials!: CredentialStore;
  readonly #closing: (() => Promise<unknown>)[] = [];

  readonly bundle: string;

  constructor(bundle: string) {
    this.bundle = bundle;
  }

  async start(fault?: KafkaEndpointOptions['fault']): Promise<this> {
    chmodSync(this.dir, 0o755);
    this.#credentials = await createCredentialStore({ dataDir: join(this.dir, 'data') });
    const s3 = await startS3Endpoint({
      dataDir: join(this.dir, 'data'),
      credentials: this.#credentials,
      onError: (e) => console.error(e),
    });
    this.s3Url = s3.url;
    this.#closing.push(() => s3.close());
    this.s3 = new S3Client({
      region: 'ap-south-1',
      endpoint: s3.url,
      forcePathStyle: true,
      credentials: this.#credentials.root,
    });
    await this.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await this.startBroker(fault);
    return this;
  }

  async startBroker(fault?: KafkaEndpointOptions['fault'], port?: number): Promise<() => Promise<void>> {
    const kafka = await startKafkaEndpoint({
      ...(port !== undefined && { port }),
      ...(fault && { fault }),
      onMessages: async (topic, messages) => {
        for (const { value } of messages) this.take(topic, JSON.parse(String(value)));
      },
    });
    this.broker = kafka.broker;
    this.#closing.push(() => kafka.close());
    return () => kafka.close();
  }

  /** Keeps what a builder has told a broker. */
  take(topic: string, body: unknown): void {
    if (topic === TOPICS.buildEvents) return void this.events.push(BuilderEventSchema.parse(body));
    const { first, lines, deploymentId } = LogBatchSchema.parse(body);
    for (const [i, line] of lines.entries()) this.lines.push({ n: first + i, deploymentId, ...line });
  }

  async close(): Promise<void> {
    this.s3.destroy();
    for (const close of this.#closing) await close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** What RunTask's overrides and the image's ENV would give. */
  environment(
    job: { projectId: string; deploymentId: string; url: string; commit: string; lane?: Lane },
    target: Target = 'frontend',
  ): Record<string, string> {
    const { lane = 'production' } = job;
    const resources = { buildRoleArn: '', bucketArn: `arn:aws:s3:::${BUCKET}`, userImagesArn: '' };
    const policy = PolicySchema.parse(sessionPolicy({ ...job, lane, target }, resources));
    const keys = this.#credentials.mint({
      arn: 'arn:aws:sts::000000000000:assumed-role/b/x',
      durationSeconds: 900,
      policy,
    });
    return {
      GIT_REPOSITORY__URL: job.url,
      GIT_COMMIT: job.commit,
      GIT_ALLOW_PROTOCOL: 'https:http:file',
      PROJECT_ID: job.projectId,
      DEPLOYMENTID: job.deploymentId,
      ATTEMPT: '1',
      NODE_VERSION: '20',
      BUILD_ENV: '{}',
      LANE: lane,
      BUILD_TIMEOUT: '60',
      INSTALLCOMMAND: '',
      BUILDCOMMAND: '',
      OUTPUT_DIR: '.',
      PRECOMPRESS: '1',
      BUCKET,
      AWS_REGION: 'ap-south-1',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.session.token,
      AWS_ENDPOINT_URL_S3: this.s3Url,
      KAFKA_BROKERS: this.broker,
      KAFKA_SECURITY: 'plaintext',
      PATH: process.env.PATH ?? '',
      HOME: this.dir,
      VEREN_NODE: process.execPath,
      VEREN_SCRIPT: this.bundle,
      VEREN_WORKDIR: join(this.dir, 'work'),
      VEREN_TOOLS: this.#folder('tools'),
      VEREN_REPORT_WAIT: '5',
    };
  }

  /** The bucket as the platform itself may use it. */
  platformObjects(): Objects {
    const { accessKeyId, secretAccessKey } = this.#credentials.root;
    const access = { bucket: BUCKET, region: 'ap-south-1', endpoint: this.s3Url, sessionToken: undefined };
    return s3Objects({ ...access, accessKeyId, secretAccessKey });
  }

  #folder(name: string): string {
    mkdirSync(join(this.dir, name), { recursive: true });
    return join(this.dir, name);
  }

  task(env: Record<string, string>): Task {
    const child = spawn('bash', [join(ROOT, 'builder-images/builder-image-frontend/main.sh')], { env, cwd: '/' });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const ended = new Promise<{ code: number | null; output: string }>((done) =>
      child.on('close', (code) => done({ code, output })),
    );
    return { env, child, ended };
  }

  /** A whole build of a repository at its commit. */
  async build(
    job: { projectId: string; deploymentId?: string; url: string; commit: string; lane?: Lane },
    env: Record<string, string> = {},
  ) {
    const id = job.deploymentId ?? deploymentId();
    const task = this.task({ ...this.environment({ ...job, deploymentId: id }), ...env });
    const { code, output } = await task.ended;
    return { id, code, output, env: task.env, ...this.told(id) };
  }

  told(id: string) {
    const events = this.events.filter((event) => event.deploymentId === id);
    const lines = this.lines.filter((line) => line.deploymentId === id);
    return { events, last: events.at(-1), lines, log: lines.map((line) => line.line).join('\n') };
  }

  async object(key: string) {
    const found = await this.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return { ...found, text: (await found.Body?.transformToString()) ?? '' };
  }

  async keys(prefix: string): Promise<string[]> {
    const found = await this.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
    return (found.Contents ?? []).map((object) => object.Key!.slice(prefix.length)).sort();
  }

  /** Paths of the newest deployment that has been stored as a whole. */
  async site(projectId: string): Promise<string[]> {
    const newest = await this.#newest(projectId);
    return newest === undefined ? [] : this.keys(s3Keys.deploymentFiles(projectId, newest));
  }
  async page(projectId: string, path: string) {
    return this.object(s3Keys.deploymentFiles(projectId, (await this.#newest(projectId)) ?? 'none') + path);
  }
  async #newest(projectId: string): Promise<string | undefined> {
    const keys = await this.keys(`__deployments/${projectId}/`);
    return keys
      .filter((key) => /^[^/]+\/manifest\.json$/.test(key))
      .at(-1)
      ?.replace(/\/.*/, '');
  }
}
