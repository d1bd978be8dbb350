import { chmod, chown, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
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
import { freePort, type Launched, type Launcher, MAX_PROCESSES, maxFiles } from './launch.ts';
import { RunningProcess } from './runningProcess.ts';
import type { OnLine } from './serviceOutput.ts';
import type { VersionSpec } from './specs.ts';

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
  const limits = { maxProcesses: MAX_PROCESSES, maxFiles: maxFiles() };
  return createSandbox({ uid: user?.uid, gid: user?.gid, ...limits, cookie: cookieOf(spec) });
}

/** In the environment of its processes: finds those that another platform has left, where they have no user of their own. */
const cookieOf = ({ version }: VersionSpec) => `VEREN_SERVICE=${version}`;

/** Ends what is alive of a version. */
const endProcesses = (places: LaunchPlaces, spec: VersionSpec): Promise<void> => sandboxOf(places, spec).killAll();

/**
 * Removes all that a version has left: processes, its folder, and what its user has made elsewhere, which the next
 * version with this user would find. Throws where a process cannot be ended.
 */
async function clearVersion(places: LaunchPlaces, spec: VersionSpec): Promise<void> {
  await endProcesses(places, spec);
  const user = userOf(places, spec);
  if (user) await removeLeftFiles((uid) => uid === user.uid);
  await removeTree(folderOf(places, spec));
}

/** Removes folders of versions that are not known any more: the platform was killed while it removed them. */
async function removeUnknownFolders(runFolder: string, known: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(runFolder)) if (!known.has(name)) await removeTree(join(runFolder, name));
}

/** Runs folders as processes of this machine, each with a user of its own where Veren is root. */
export const folderLauncher = (places: LaunchPlaces): Launcher => ({
  told: 'runs as a process of this machine: no container engine is used',
  refusal: async () => null,
  async launch(spec, environment, onLine, signal) {
    const { artifact } = spec;
    if (artifact.kind !== 'folder') throw new Error('it is no folder');
    return launchFolder(places, { ...spec, artifact }, environment, onLine, signal);
  },
  async endLeft(known) {
    await removeUnknownFolders(places.runFolder, new Set(known.map(({ version }) => version)));
    for (const spec of known) await endProcesses(places, spec).catch(() => undefined);
  },
  clear: (spec) => clearVersion(places, spec),
});

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

/** Starts the process of a version on a port of its own. */
async function launchFolder(
  places: LaunchPlaces,
  spec: FolderSpec,
  environment: Readonly<Record<string, string>>,
  onLine: OnLine,
  signal: AbortSignal,
): Promise<Launched> {
  const { start } = spec.artifact;
  const preparing = prepareFolder(places, spec, signal);
  const toolchain = Promise.race([ensureToolchain(start.nodeMajor, places.dataDir), rejectionOf(signal)]);
  const [{ binDir }, port] = await Promise.all([toolchain, freePort()]).finally(
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
    toldPort: port,
  };
}

/** A download is not waited for: it goes on for whoever needs it next, or ends with the platform. */
const rejectionOf = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    const end = () => reject(new Error('it is not wanted any more'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

/** From the service's own folder up to the root, as package managers have them. */
function programFolders(app: string, { cwd }: ServiceStart): string[] {
  const parts = cwd === '.' ? [] : cwd.split('/');
  const folders = parts.map((_, i) => join(app, ...parts.slice(0, parts.length - i)));
  return [...folders, app, join(app, '.veren-tools')].map((folder) => join(folder, 'node_modules/.bin'));
}
