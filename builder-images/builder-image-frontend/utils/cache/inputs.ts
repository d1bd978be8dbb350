import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { captureOutput } from '../../../shared/command.ts';
import { programPath, SYSTEM_PATH } from '../../../shared/programs.ts';
import { readRepoFile } from '../../../shared/repo-files.ts';
import type { Sandbox } from '../../../shared/sandbox.ts';
import { fingerprintOf } from '../../../shared/step-variables.ts';

/** Files that decide what an install command does, anywhere in the repository. */
const LOCKFILE = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/;
const INPUT =
  /(?:^|\/)(?:package\.json|\.gitattributes|\.npmrc|\.yarnrc(?:\.yml)?|pnpm-workspace\.yaml|bunfig\.toml|[^/]*\.(?:prisma|patch))$|(?:^|\/)(?:patches|\.yarn)\//;
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
  /** As the install command has them. */
  readonly buildEnv: Readonly<Record<string, string>>;
  readonly fingerprintKey?: string | undefined;
}

const hashValue = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** git in the work tree, as the build's user: the repository's own configuration may be hostile. */
export async function gitLines(
  o: Pick<InputsOptions, 'source' | 'sandbox'>,
  args: readonly string[],
): Promise<string[]> {
  const stdout = await captureOutput({
    sandbox: o.sandbox,
    argv: [programPath('git'), '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args],
    cwd: o.source,
    env: { PATH: SYSTEM_PATH, HOME: '/nonexistent', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0' },
    maxBytes: 64 * 1_024 * 1_024,
    timeoutMs: 20_000,
  });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '');
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
const YARN_PATHS =
  /(?:yarn-?path["']?[ \t:]+|path["']?[ \t]*:[ \t]*|^[ \t]*-[ \t]+(?=\S*(?:\/|\.[cm]?js\b)))["']?([^\s"']+)/gim;
/** Downloads that lie in the repository, which not every manager checks. */
const DOWNLOADS =
  /^[ \t]*["']?(?:cache-?folder|store-?dir|yarn-offline-mirror)["']?[ \t]*[ \t=:][ \t]*["']?(?!(?:\.\/)?\.yarn\/(?!.*\.\.))\S/im;
const namesPrograms = (settings: string) =>
  PROGRAMS.test(settings) ||
  DOWNLOADS.test(settings) ||
  (YARN_PROGRAMS.test(settings) &&
    [...settings.matchAll(YARN_PATHS)].some(([, path]) => !/^(?:\.\/)?\.yarn\/(?!.*\.\.)/.test(path!)));

/** Variables by which an install runs programs, or reads settings, that may be files of the repository. */
const PROGRAM_VARIABLES =
  /^(?:PATH|HOME|ENV|BASH_ENV|CC|CXX|CPP|LD|AR|MAKE\w*|(?:LD|GIT|SSH)_\w+|PYTHON\w*|BUN_INSTALL\w*|NODE_(?:PATH|GYP\w*)|(?:npm|pnpm)_config_(?:\w*shell|node_options|userconfig|globalconfig|\w*pnpmfile|git|preload|init_module|node_gyp|python|\w*prefix|\w*dir)|YARN_(?:RC_FILENAME|YARN_PATH|PLUGINS|IGNORE_PATH|\w*FOLDER|\w*MIRROR))$/i;
/** Options of Node that name no file. */
const PLAIN_OPTIONS = /^\s*(?:--[a-z-]+(?:=[\w-]+)?(?:\s+|$))*$/;

const variablesNamePrograms = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables).some(
    ([name, value]) => PROGRAM_VARIABLES.test(name) || (name === 'NODE_OPTIONS' && !PLAIN_OPTIONS.test(value)),
  );

/** Packages from files of the repository, and generated by its scripts: some managers copy them, and would not see them change. */
const FROM_FILES = /^(?:(?:file|portal|link|exec|git\+file):|(?:\.{1,2}|~)?\/|[^:]*\.(?:tgz|tar(?:\.gz)?)$)/;
const DEPENDENCIES = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
  'resolutions',
  'pnpm',
  'catalog',
  'workspaces',
];
const stringsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : value && typeof value === 'object'
      ? Object.values(value).flatMap(stringsOf)
      : [];

function isSimple(text: string): boolean {
  const manifest = JSON.parse(text) as Record<string, unknown>;
  if (LIFECYCLE.some((name) => name in ((manifest.scripts ?? {}) as object))) return false;
  const { workspaces, ...others } = Object.fromEntries(DEPENDENCIES.map((name) => [name, manifest[name]]));
  // A list of folders, or an object that may have catalogs of versions.
  const catalogs = Array.isArray(workspaces) ? null : { ...(workspaces as object), packages: null };
  return !stringsOf([others, catalogs]).some((wanted) => FROM_FILES.test(wanted));
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
  const lockfiles = hashValue([locks, o.nodeMajor, packageManager]);
  const pairs = Object.entries(buildEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  const variables = o.fingerprintKey === undefined ? pairs : fingerprintOf(o.fingerprintKey, pairs);
  const how = [await nodeIdentity(o.env.PATH ?? ''), installCommand, installPath, packageManager, variables];
  const inputs = tracked.filter(({ path }) => LOCKFILE.test(path) || INPUT.test(path));
  const install = (await isExact(o, tracked, inputs)) ? hashValue([2, inputs, ...how]) : null;
  // An install that may read any file is the same where all files are.
  const store = /^(?:npm)?(?:@|$)/.test(packageManager)
    ? `${CHECKED}${lockfiles}`
    : (install ?? hashValue([2, tracked, ...how]));
  return { install, lockfiles, store };
}

interface Tracked {
  readonly path: string;
  /** Its mode and the id of its content. */
  readonly blob: string;
}
const LINK = '120000 ';

/** True where the install does what the inputs say, and runs nothing else of the repository's. */
async function isExact(o: InputsOptions, tracked: readonly Tracked[], inputs: readonly Tracked[]): Promise<boolean> {
  if (!EXACT.test(o.installCommand) || tracked.some(({ path }) => HOOKS.test(path))) return false;
  if (variablesNamePrograms(o.buildEnv)) return false;
  // What a link leads to may be anything, and has no hash here.
  if (tracked.some(({ path, blob }) => blob.startsWith(LINK) && INPUT.test(`${path}/`))) return false;
  if (inputs.some(({ blob }) => blob.startsWith(LINK))) return false;
  const readTracked = ({ path }: Tracked) => readRepoFile(join(o.source, path));
  try {
    for (const file of inputs) {
      if (/(?:^|\/)package\.json$/.test(file.path) && !isSimple(await readTracked(file))) return false;
      if (SETTINGS.test(file.path) && namesPrograms(await readTracked(file))) return false;
    }
    return true;
  } catch {
    return false;
  }
}
