import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { captureOutput } from '../../../shared/command.ts';
import { programPath, SYSTEM_PATH } from '../../../shared/programs.ts';
import type { Sandbox } from '../../../shared/sandbox.ts';
import { readRepoFile } from '../folders.ts';

/** Files that decide what an install command does, anywhere in the repository. */
const LOCKFILE = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/;
const INPUT =
  /(?:^|\/)(?:package\.json|\.npmrc|\.yarnrc(?:\.yml)?|pnpm-workspace\.yaml|\.pnpmfile\.c?js|bunfig\.toml)$|(?:^|\/)(?:patches|\.yarn)\//;

/** Commands that install exactly what the lockfile says (CI=true is set), and nothing else. */
const EXACT =
  /^(?:npm ci|pnpm (?:i|install)(?: --frozen-lockfile)?|yarn(?: install)?(?: --frozen-lockfile| --immutable)?|bun (?:i|install)(?: --frozen-lockfile)?)$/;

/** Scripts of the repository's own packages: they may do anything, to any file, so an install with them is always run. */
const LIFECYCLE = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare', 'prepublish'];

export interface Inputs {
  /** Key of `install`; null where the install must be run whatever is cached. */
  readonly install: string | null;
  /** Key of the others: the lockfiles and the Node line. Null without a lockfile. */
  readonly lockfiles: string | null;
}

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

/** Files of other packages of the repository are copied by some managers, and would not be seen to change. */
function isSimple(manifest: string): boolean {
  const { scripts = {} } = JSON.parse(manifest) as { scripts?: Record<string, unknown> };
  return !LIFECYCLE.some((name) => name in scripts) && !/"(?:file|portal|link):/.test(manifest);
}

/** Reads what the caches depend on from git's index: names and content hashes, without reading the files themselves. */
export async function cacheInputs(o: InputsOptions): Promise<Inputs> {
  const tracked = (await gitLines(o, ['ls-files', '--stage', '-z'])).map((line) => {
    const [info, path] = line.split('\t') as [string, string];
    return { path, blob: info.split(' ')[1]! };
  });
  const locks = tracked.filter(({ path }) => LOCKFILE.test(path));
  if (locks.length === 0) return { install: null, lockfiles: null };
  const lockfiles = hash([locks, o.nodeMajor, o.packageManager]);
  const inputs = tracked.filter(({ path }) => LOCKFILE.test(path) || INPUT.test(path));
  const manifests = inputs.filter(({ path }) => /(?:^|\/)package\.json$/.test(path));
  const simple = await Promise.all(
    manifests.map(async ({ path }) => isSimple(await readRepoFile(join(o.source, path)))),
  ).catch(() => [false]);
  if (!EXACT.test(o.installCommand) || simple.includes(false)) return { install: null, lockfiles };
  const node = await nodeIdentity(o.env.PATH ?? '');
  const { installCommand, installPath, packageManager, buildEnv } = o;
  const variables = Object.entries(buildEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  return { install: hash([1, inputs, node, installCommand, installPath, packageManager, variables]), lockfiles };
}
