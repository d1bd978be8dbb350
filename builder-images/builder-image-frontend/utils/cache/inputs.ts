import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Sandbox } from '../../../shared/sandbox.ts';

/** Files that decide what an install command does, anywhere in the repository. */
const LOCKFILE = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/;
const INPUT =
  /(?:^|\/)(?:package\.json|\.npmrc|\.yarnrc(?:\.yml)?|pnpm-workspace\.yaml|bunfig\.toml|[^/]*\.prisma)$|(?:^|\/)(?:patches|\.yarn)\//;
/** Of those: what may name programs. */
const SETTINGS = /(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|pnpm-workspace\.yaml|bunfig\.toml)$/;
/** Code of the repository's own that package managers run: it may read any file. */
const HOOKS = /(?:^|\/)(?:\.pnpmfile\.[cm]?js|binding\.gyp)$/;

/** Commands that install exactly what the lockfile says (CI=true is set), and nothing else. */
const EXACT =
  /^(?:npm ci|pnpm (?:i|install)(?: --frozen-lockfile)?|yarn(?: install)?(?: --frozen-lockfile| --immutable)?|bun (?:i|install)(?: --frozen-lockfile)?)$/;

/** Scripts of the repository's own packages: they may do anything, to any file, so an install with them is always run. */
const LIFECYCLE = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare', 'prepublish'];

export interface Inputs {
  /** Key of `install`; null where the install must be run whatever is cached. */
  readonly install: string | null;
  /** Key of `frameworks`: the lockfiles and the Node line. Null without a lockfile. */
  readonly lockfiles: string | null;
  /** Key of `store`, see `isStoreOf`. Null without a lockfile. */
  readonly store: string | null;
}

const CHECKED = 'checked:';
/**
 * Whether a store is good for these inputs. npm looks its downloads up by the hash in this commit's own lockfile, so any
 * store does. Other managers take what lies there: it must come from an install of exactly the same.
 */
export const isStoreOf = (key: string, inputs: Inputs): boolean =>
  inputs.store !== null && (key === inputs.store || (key.startsWith(CHECKED) && inputs.store.startsWith(CHECKED)));

export interface InputsOptions {
  readonly source: string;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  readonly installCommand: string;
  readonly installPath: string;
  readonly packageManager: string;
  readonly nodeMajor: number;
  readonly buildEnv: Readonly<Record<string, string>>;
}

const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** git in the work tree, as the build's user: the repository's own configuration may be hostile. */
export async function gitLines(
  o: Pick<InputsOptions, 'source' | 'sandbox' | 'env'>,
  args: readonly string[],
): Promise<string[]> {
  const argv = o.sandbox.wrap(['git', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args]);
  const [file, ...rest] = argv;
  const { stdout } = await promisify(execFile)(file, rest, {
    cwd: o.source,
    env: { ...o.env, GIT_OPTIONAL_LOCKS: '0' },
    maxBuffer: 64 * 1_024 * 1_024,
    timeout: 20_000,
  });
  return stdout.split('\0').filter((line) => line !== '');
}

/** The Node that the build runs: where it is and when it came there, which is cheaper to ask than its version. */
async function nodeIdentity(path: string): Promise<unknown> {
  for (const folder of path.split(':')) {
    const node = await realpath(join(folder, 'node')).catch(() => null);
    if (node) {
      const { size, mtimeMs } = await stat(node);
      return [node, size, mtimeMs, process.arch, process.platform];
    }
  }
  return null;
}

/** Settings that make a package manager run programs, which could be the repository's. Yarn's own in `.yarn` are inputs. */
const PROGRAMS =
  /^[ \t]*["']?(?:node-?options|script-?shell|shell|git|(?:global-?)?pnpmfile|preload|init-module|configDependencies)["']?\s*[=:]/im;
const YARN_PROGRAMS = /^[ \t]*["']?(?:yarn-?path|plugins)\b/im;
const YARN_PATHS = /(?:yarn-?path["']?[ \t:]+|path["']?[ \t]*:[ \t]*|^[ \t]*-[ \t]+(?!path\b))["']?([^\s"']+)/gim;
const namesPrograms = (settings: string) =>
  PROGRAMS.test(settings) ||
  (YARN_PROGRAMS.test(settings) &&
    [...settings.matchAll(YARN_PATHS)].some(([, path]) => !/^(?:\.\/)?\.yarn\/(?!.*\.\.)/.test(path!)));

/** Files of other packages of the repository are copied by some managers, and would not be seen to change. */
function isSimple(manifest: string): boolean {
  const { scripts = {} } = JSON.parse(manifest) as { scripts?: Record<string, unknown> };
  return !LIFECYCLE.some((name) => name in scripts) && !/"(?:file|portal|link):/.test(manifest);
}

/** Reads what the caches depend on from git's index: names and content hashes, without reading the files themselves. */
export async function cacheInputs(o: InputsOptions): Promise<Inputs> {
  const tracked = (await gitLines(o, ['ls-files', '--stage', '-z'])).map((line): Tracked => {
    const [info, path] = line.split('\t') as [string, string];
    return { path, blob: info.split(' ').slice(0, 2).join(' ') };
  });
  const locks = tracked.filter(({ path }) => LOCKFILE.test(path));
  if (locks.length === 0) return { install: null, lockfiles: null, store: null };
  const { installCommand, installPath, packageManager, buildEnv } = o;
  const lockfiles = hash([locks, o.nodeMajor, packageManager]);
  const variables = Object.entries(buildEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  const how = [await nodeIdentity(o.env.PATH ?? ''), installCommand, installPath, packageManager, variables];
  const inputs = tracked.filter(({ path }) => LOCKFILE.test(path) || INPUT.test(path));
  const install = (await isExact(o, tracked, inputs)) ? hash([2, inputs, ...how]) : null;
  // An install that may read any file is the same where all files are.
  const store = /^(?:npm)?(?:@|$)/.test(packageManager)
    ? `${CHECKED}${lockfiles}`
    : (install ?? hash([2, tracked, ...how]));
  return { install, lockfiles, store };
}

interface Tracked {
  readonly path: string;
  readonly blob: string;
}

/** True where the install does what the inputs say, and runs nothing else of the repository's. */
async function isExact(o: InputsOptions, tracked: readonly Tracked[], inputs: readonly Tracked[]): Promise<boolean> {
  if (!EXACT.test(o.installCommand) || tracked.some(({ path }) => HOOKS.test(path))) return false;
  const text = ({ path }: Tracked) => readFile(join(o.source, path), 'utf8');
  try {
    for (const file of inputs) {
      if (/(?:^|\/)package\.json$/.test(file.path) && !isSimple(await text(file))) return false;
      if (SETTINGS.test(file.path) && namesPrograms(await text(file))) return false;
    }
    return true;
  } catch {
    return false;
  }
}
