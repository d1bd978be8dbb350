import { mkdtemp, readdir, readFile, realpath, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import valid from 'semver/functions/valid.js';
import { VerenError } from '../../contract/errors.ts';
import { runCommand } from './command.ts';
import { removeTree } from './processes.ts';
import type { Sandbox } from './sandbox.ts';
import { UNFINISHED } from './work-folder.ts';

export type PackageManagerName = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** The version for a name without one: the newest line that runs on every Node major with a builder. */
const DEFAULT_VERSION: Readonly<Record<PackageManagerName, string>> = { npm: '', pnpm: '10', yarn: '1', bun: '1' };

/** What no image holds and a range installs: the same version in every build, until it is changed here. */
const INSTALLED_VERSION: Readonly<Partial<Record<PackageManagerName, string>>> = { bun: '1.4.5' };

export interface Wanted {
  readonly name: PackageManagerName;
  /** The npm package that contains it. */
  readonly package: string;
  /** Exact, or the beginning of a version (`9`, `9.1`), which means the newest one that begins so. */
  readonly version: string;
}

/** `name@version` of PACKAGE_MANAGER; null where nothing has to be prepared (some npm comes with Node). */
export function parsePackageManager(spec: string): Wanted | null {
  const [name, given = ''] = spec.split('@') as [PackageManagerName | '', string?];
  if (name === '' || (name === 'npm' && given === '')) return null;
  // Corepack's form: `pnpm@9.1.0+sha512.…`. The registry's integrity check does the same work.
  const version = given.split('+')[0] || DEFAULT_VERSION[name];
  const berry = name === 'yarn' && !/^[01](\.|$)/.test(version);
  return { name, package: berry ? '@yarnpkg/cli-dist' : name, version };
}

const isExact = (version: string) => /^\d+\.\d+\.\d+/.test(version);
const versionNumbers = (version: string) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
function newerFirst(a: string, b: string): number {
  const [x, y] = [versionNumbers(a), versionNumbers(b)];
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] ?? 0) - (x[i] ?? 0);
  return 0;
}

const fitsVersion = (want: Wanted, version: string) =>
  isExact(want.version) ? version === want.version : `${version}.`.startsWith(`${want.version}.`);

/** The prepared version that fits, `<folder>/<name>@<version>`. */
async function findPrepared(folder: string, want: Wanted): Promise<string | null> {
  const entries = await readdir(folder).catch(() => []);
  const versions = entries
    .filter((entry) => entry.startsWith(`${want.name}@`))
    .map((entry) => entry.slice(want.name.length + 1))
    .filter((version) => fitsVersion(want, version))
    .sort(newerFirst);
  return versions[0] === undefined ? null : join(folder, `${want.name}@${versions[0]}`);
}

/** Whether the npm that is first on PATH, which came with Node, is what was wanted. Looked up in folders of the image only. */
async function isBundled(want: Wanted, path: string): Promise<boolean> {
  if (want.name !== 'npm') return false;
  for (const folder of path.split(':')) {
    const program = await realpath(join(folder, 'npm')).catch(() => null);
    if (program === null) continue;
    const version = await installedVersion(join(dirname(program), '../package.json'));
    return version !== null && fitsVersion(want, version);
  }
  return false;
}

/**
 * Where a package manager goes that is not there yet: as a user of its own the build cannot write what other builds run.
 * @param shared Folder that all builds of one user share.
 */
export const toolsTarget = (sandbox: Sandbox, shared: string, work: string): Preparation['target'] =>
  sandbox.uid === undefined ? { folder: shared, shared: true } : { folder: join(work, 'tools'), shared: false };

export interface Preparation {
  readonly spec: string;
  /** PATH of the image: where its own npm is. */
  readonly imagePath: string;
  /** Folders with prepared ones that no build can write, looked at in this order. */
  readonly tools: readonly string[];
  /** Where a new one goes. */
  readonly target: {
    readonly folder: string;
    /** True where other builds use the folder too; otherwise it is this build's own. */
    readonly shared: boolean;
  };
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Makes the package manager available and returns the folder of its commands, for the PATH of the build's commands;
 * null where Node's own npm is the right one. A missing one is installed from the npm registry as the build user, since
 * the repository chooses the version and may choose the registry. Throws `VerenError('TOOLCHAIN_UNAVAILABLE')`.
 */
export async function preparePackageManager(input: Preparation): Promise<string | null> {
  const want = parsePackageManager(input.spec);
  if (want === null || (await isBundled(want, input.imagePath))) return null;
  const { target } = input;
  for (const folder of target.shared ? [...input.tools, target.folder] : input.tools) {
    const found = await findPrepared(folder, want);
    if (found) return join(found, 'node_modules/.bin');
  }
  input.say(`Preparing ${want.name}@${want.version}`);
  const folder = target.shared ? await installShared(want, input) : await installOwn(want, input);
  return join(folder, 'node_modules/.bin');
}

function specOf(want: Wanted): string {
  const ours = INSTALLED_VERSION[want.name];
  return `${want.package}@${ours !== undefined && fitsVersion(want, ours) ? ours : want.version}`;
}
const unavailableFault = (want: Wanted, reason: string) =>
  new VerenError('TOOLCHAIN_UNAVAILABLE', { version: `of ${specOf(want)}`, reason });

/**
 * Installs into a folder of the build user that no other build uses. Its name is the wanted version, and the builder
 * neither reads nor moves anything that the installation has written.
 */
async function installOwn(want: Wanted, input: Preparation): Promise<string> {
  const folder = join(input.target.folder, `${want.name}@${want.version}`);
  await npmInstall(want, folder, input);
  return folder;
}

/**
 * Installs into a folder that later builds use. It gets its name, the exact version from the registry, when it is
 * complete.
 */
async function installShared(want: Wanted, input: Preparation): Promise<string> {
  const staging = await mkdtemp(join(input.target.folder, UNFINISHED));
  try {
    await npmInstall(want, staging, input);
    const version = await installedVersion(join(staging, 'node_modules', want.package, 'package.json'));
    if (version === null || !fitsVersion(want, version))
      throw unavailableFault(want, 'the package says that it is another version');
    const folder = join(input.target.folder, `${want.name}@${version}`);
    // Another build on this laptop may have been first; then its folder is used.
    await rename(staging, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return folder;
  } finally {
    await removeTree(staging);
  }
}

/**
 * The version in a package.json, or null for anything else, since its own install script may have written that file.
 */
async function installedVersion(file: string): Promise<string | null> {
  try {
    const { version } = JSON.parse(await readFile(file, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? valid(version) : null;
  } catch {
    return null;
  }
}

/** When this resolves or throws, nothing that the installation has started is alive. */
async function npmInstall(want: Wanted, folder: string, input: Preparation): Promise<void> {
  const { sandbox, signal } = input;
  const output: string[] = [];
  const flags = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--no-package-lock'];
  const { exitCode, stopped } = await runCommand({
    argv: ['npm', 'install', '--global=false', '--prefix', folder, ...flags, '--', specOf(want)],
    cwd: '/', // in the parent of `folder` npm would read the spec as the name of that folder
    env: input.env,
    sandbox,
    signal,
    sweep: () => sandbox.killAll(),
    onOutput: (_, chunk) => {
      if (output.length < 50) output.push(chunk.toString());
    },
  });
  if (stopped) signal.throwIfAborted();
  if (exitCode !== 0) throw unavailableFault(want, output.join('').trim().split('\n')[0] ?? '');
}
