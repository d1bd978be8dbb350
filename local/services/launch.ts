import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { unpackArchive } from '../../builder-images/shared/cache/archive.ts';
import { createMasker } from '../../builder-images/shared/masker.ts';
import { removeTree } from '../../builder-images/shared/processes.ts';
import { createSandbox, type Sandbox } from '../../builder-images/shared/sandbox.ts';
import type { ServiceStart } from '../../contract/record.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import type { BuildUsers } from '../platform/buildUsers.ts';
import { type HostEnv, passedOn, SYSTEM_PATH } from '../platform/images.ts';
import { removeLeftFiles } from '../platform/leftFiles.ts';
import { ensureToolchain } from '../toolchains.ts';
import { RunningProcess, type ServiceStream } from './runningProcess.ts';
import type { VersionSpec } from './specs.ts';

/** Processes and threads of one service: as many as a build may have. */
const MAX_PROCESSES = 2_048;
/** Files and connections that each process of a service may have open. */
const MAX_FILES = 8_192;
/** Written when everything is unpacked, into a folder that the service's user cannot write to. */
const COMPLETE = 'complete';

type FolderSpec = VersionSpec & { readonly artifact: { readonly kind: 'folder' } };

export interface LaunchPlaces {
  readonly dataDir: string;
  /** Below it each version has its folder. */
  readonly runFolder: string;
  readonly s3: S3Calls;
  readonly users: BuildUsers;
  readonly hostEnv: HostEnv;
}

const folderOf = ({ runFolder }: LaunchPlaces, { version }: VersionSpec) => join(runFolder, version);

const userOf = ({ users }: LaunchPlaces, { user }: VersionSpec) => (user === undefined ? null : users.ofService(user));

function sandboxOf(places: LaunchPlaces, spec: VersionSpec): Sandbox {
  const user = userOf(places, spec);
  const limits = { maxProcesses: MAX_PROCESSES, maxFiles: Math.min(MAX_FILES, ownLimitOfFiles()) };
  return createSandbox({ uid: user?.uid, gid: user?.gid, ...limits, cookie: cookieOf(spec) });
}

/** More than the platform itself may have could not be given. Source: proc_pid_limits(5). */
function ownLimitOfFiles(): number {
  try {
    const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return hard === undefined ? MAX_FILES : Number(hard);
  } catch {
    return MAX_FILES; // another system than Linux, where services have no users of their own
  }
}

/** In the environment of its processes: finds those that another platform has left, where they have no user of their own. */
const cookieOf = ({ version }: VersionSpec) => `VEREN_SERVICE=${version}`;

/** Ends what is alive of a version. */
export const endLeft = (places: LaunchPlaces, spec: VersionSpec): Promise<void> => sandboxOf(places, spec).killAll();

/**
 * Removes all that a version has left: processes, its folder, and what its user has made elsewhere, which the next
 * version with this user would find. Throws where a process cannot be ended.
 */
export async function clearVersion(places: LaunchPlaces, spec: VersionSpec): Promise<void> {
  await endLeft(places, spec);
  const user = userOf(places, spec);
  if (user) await removeLeftFiles((uid) => uid === user.uid);
  await removeTree(folderOf(places, spec));
}

/** Removes folders of versions that are not known any more: the platform was killed while it removed them. */
export async function removeUnknownFolders(runFolder: string, known: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(runFolder)) if (!known.has(name)) await removeTree(join(runFolder, name));
}

/** The folder that a version runs from: unpacked once, as its user. */
async function prepareFolder(places: LaunchPlaces, spec: FolderSpec, signal: AbortSignal): Promise<string> {
  const folder = folderOf(places, spec);
  if (await lstat(join(folder, COMPLETE)).catch(() => null)) return folder;
  await removeTree(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const user = userOf(places, spec);
  for (const name of ['app', 'home', 'tmp']) {
    await mkdir(join(folder, name), { mode: 0o755 });
    if (user) await chown(join(folder, name), user.uid, user.gid);
  }
  if (user) {
    await chown(folder, 0, user.gid);
    await chmod(folder, 0o750);
  }
  const { bucket, key, bytes, digest } = spec.artifact;
  const { Body } = await places.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const expected = { size: bytes, sha256: digest };
  await unpackArchive(sandboxOf(places, spec), Body as Readable, join(folder, 'app'), expected, signal);
  await writeFile(join(folder, COMPLETE), '', { mode: 0o600, flag: 'wx' });
  return folder;
}

interface Launched {
  readonly process: RunningProcess;
  readonly port: number;
}

/** Starts the process of a version on a port of its own. */
export async function launchFolder(
  places: LaunchPlaces,
  spec: FolderSpec,
  environment: Readonly<Record<string, string>>,
  onLine: (stream: ServiceStream, line: string) => void,
  signal: AbortSignal,
): Promise<Launched> {
  const { start } = spec.artifact;
  const preparing = prepareFolder(places, spec, signal);
  const [{ binDir }, port] = await Promise.all([ensureToolchain(start.nodeMajor, places.dataDir), freePort()]).finally(
    // Nobody may remove the folder before its making has ended.
    () => Promise.allSettled([preparing]),
  );
  const folder = await preparing;
  const app = join(folder, 'app');
  const cwd = join(app, start.cwd);
  const env = {
    LANG: 'C.UTF-8',
    ...passedOn(places.hostEnv),
    NODE_ENV: 'production',
    // Nobody else is to reach it but through the project's address.
    ...{ HOST: '127.0.0.1', HOSTNAME: '127.0.0.1', NITRO_HOST: '127.0.0.1', FASTIFY_ADDRESS: '127.0.0.1' },
    ...start.variables,
    ...environment,
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    PATH: [...programFolders(app, start), binDir, SYSTEM_PATH].join(delimiter),
    PORT: String(port),
  };
  const secrets = spec.secrets.flatMap((name) => environment[name] ?? []);
  const [first = '', ...rest] = start.argv;
  const mask = createMasker(secrets, secrets);
  const { settings } = spec;
  const sandbox = sandboxOf(places, spec);
  return {
    process: new RunningProcess({
      argv: [first, ...rest],
      cwd,
      env,
      sandbox,
      memoryMb: settings.memoryMb,
      mask,
      onLine,
    }),
    port,
  };
}

/** From the service's own folder up to the root, as package managers have them. */
function programFolders(app: string, { cwd }: ServiceStart): string[] {
  const parts = cwd === '.' ? [] : cwd.split('/');
  const folders = parts.map((_, i) => join(app, ...parts.slice(0, parts.length - i)));
  return [...folders, app, join(app, '.veren-tools')].map((folder) => join(folder, 'node_modules/.bin'));
}

/** A port that nobody has at this moment, outside of what systems give to outgoing connections. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 30_000 + (randomBytes(2).readUInt16BE() % 2_700);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
