import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { VerenClient } from '../../cli/client/VerenClient.ts';
import type { CreateDeployment, DeploymentView } from '../../contract/api.ts';
import type { LogLine } from '../../contract/events.ts';
import { NODE_MAJORS, type NodeMajor } from '../../contract/node-lines.ts';
import { isTerminal } from '../../contract/record.ts';
import { makeRepositoryFromFolder } from '../../local/client/makeRepositoryFromFolder.ts';

/** Tests and benchmarks are started here, as CommonJS and as modules. */
export const ROOT = process.cwd();

/** The host's Node where it has a builder: then a test needs no toolchain from npm. */
export const HOST_NODE: { nodeVersion?: NodeMajor } = ((major) =>
  NODE_MAJORS.includes(major) ? { nodeVersion: major } : {})(Number.parseInt(process.versions.node, 10) as NodeMajor);

/** `npm start` as a process of its own, as a user has it: on a free port, with a data folder that outlives it. */
const ROUTES_FOLLOW_MS = 300;

export interface Veren {
  readonly url: string;
  readonly token: string;
  readonly client: VerenClient;
  readonly pid: number;
  /** What it has printed, line by line. */
  readonly said: readonly string[];
  /** Its log, line by line. */
  readonly logged: readonly string[];
  /** Deploys and waits for the end, and for the release of what has succeeded. */
  deploy(request: CreateDeployment): Promise<DeploymentView>;
  finished(deploymentId: string): Promise<DeploymentView>;
  logs(deploymentId: string): Promise<LogLine[]>;
  /** Any call of the API; what it answers, undefined for nothing. Throws with the answer where it is no success. */
  call<T>(method: string, path: string, body?: object): Promise<T>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, or another signal; gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export async function startVeren(dataDir: string, env: Record<string, string> = {}): Promise<Veren> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/local.ts', 'start', '--data', dataDir], {
    cwd: ROOT,
    env: { ...cleanEnv(), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const said: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => said.push(line));
  const logged: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => logged.push(line));
  const url = await firstUrl(child, exited);
  const token = env.VEREN_TOKEN ?? (await readFile(join(dataDir, 'token'), 'utf8')).trim();
  const client = new VerenClient({ baseUrl: url, token });
  const finished = async (id: string) => {
    for (let looks = 0; ; ) {
      const record = await client.getDeployment(id);
      // A release follows within a moment; a newer deployment may have been released meanwhile.
      const isShown = record.status !== 'succeeded' || record.environment === 'preview' || record.released;
      if (isTerminal(record.status) && (isShown || ++looks > 40)) {
        // The document says so first, and what is served follows it.
        if (record.released) await new Promise((r) => setTimeout(r, ROUTES_FOLLOW_MS));
        return record;
      }
      await new Promise((r) => setTimeout(r, 100));
    }
  };
  return {
    url,
    token,
    client,
    pid: child.pid as number,
    logged,
    said,
    finished,
    deploy: async (request) => finished((await client.createDeployment(request)).deploymentId),
    async logs(id) {
      const lines: LogLine[] = [];
      for await (const line of client.readLogs(id)) lines.push(line);
      return lines;
    },
    async call<T>(method: string, path: string, body?: object) {
      const answer = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** The host's environment less what would steer the platform or its SDK. */
function cleanEnv(): NodeJS.ProcessEnv {
  const drop = /^(AWS_|VEREN_|KAFKA_|REDIS_|PORT$|NODE_OPTIONS$|JEST_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !drop.test(name)));
}

function firstUrl(child: ChildProcess, exited: Promise<number | null>): Promise<string> {
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => said.push(line));
  return new Promise((found, failed) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (url) found(url);
    });
    void exited.then((code) => failed(new Error(`veren ended with ${code}:\n${said.join('\n')}`)));
  });
}

/**
 * A platform for all tests of a file, ended in order after them, and a folder of theirs beside its data. Both are there from
 * the first test on.
 */
export function usePlatform(env: Record<string, string> = {}): {
  readonly veren: Veren;
  readonly folder: string;
  /** Kills it, and starts another on the same data. */
  restart(): Promise<void>;
} {
  let veren: Veren;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    veren = await startVeren(join(folder.path, 'data'), env);
  }, 300_000);
  afterAll(async () => {
    expect(await veren.stop()).toBe(0);
    await folder.remove();
  }, 180_000);
  return {
    get veren() {
      return veren;
    },
    get folder() {
      return folder.path;
    },
    async restart() {
      await veren.kill();
      veren = await startVeren(join(folder.path, 'data'), env);
    },
  };
}

/** A folder of the test's own below the system's temporary one. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'veren-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/** A repository made of one of the bundled examples; its `file:` URL. */
export async function exampleRepository(name: string, folder: string): Promise<string> {
  return (await makeRepositoryFromFolder(join(ROOT, 'examples', name), join(folder, name))).url;
}
