import type { Plan, TargetPlan } from '../../../../contract/plan.ts';
import { join, parent, type RepoFs, upward } from '../../../../contract/repo-fs.ts';
import { packageFolders } from './manifests.ts';
import { isWithin } from './repoPath.ts';
import { makeSnapshot, type Snapshot } from './snapshot.ts';
import { workspaceOf, workspacePackages } from './workspaces.ts';

/** What the builds of a plan read of the repository. */
export interface PlanReads {
  /** Folders and files, in order; `.` is the whole repository. */
  readonly paths: readonly string[];
  /** The commit itself, its history or its tags, too. */
  readonly commit: boolean;
}

/** Files above a target that say nothing to its build. */
const PROSE = /\.(?:md|mdx|txt|adoc|rst)$|^(?:licen[cs]e|notice|authors|codeowners)$/i;
/** A command that looks outside of the folder in which it runs, or at git. */
const LEAVES = /\.\.(?:[/\\]|\s|["']|$)/;
const ASKS_GIT = /\bVEREN_(?:GIT|DEPLOYMENT)_|(?:^|[\s;&|(`])git\s/;
const LOCAL = /^(?:file|link|portal):(.+)$/;
const MAX_BYTES = 256 * 1024;
const MAX_PATHS = 400;
const MAX_PACKAGES_READ = 400;
const WHOLE = ['.'];

/**
 * Lists what the builds of a plan read: each target's folder, the files of the folders above it (lockfiles,
 * configuration), and the packages of the workspace that it depends on. It is the whole repository wherever something
 * hints that a build looks elsewhere.
 * @param also Paths that the project's settings name.
 */
export async function listReads(fs: RepoFs, plan: Omit<Plan, 'commit'>, also: readonly string[]): Promise<PlanReads> {
  const targets = [plan.frontend, plan.backend].filter((target) => target !== undefined);
  const folders = packageFolders(fs);
  const manifests = new Set<string>();
  for (const dir of [...folders, ...targets.map(({ path }) => path)])
    for (const at of upward(dir))
      for (const name of ['package.json', 'pnpm-workspace.yaml', 'lerna.json', 'tsconfig.json', 'jsconfig.json'])
        if (fs.kind(join(at, name)) === 'file') manifests.add(join(at, name));
  const isTooMuch = folders.length > MAX_PACKAGES_READ;
  const repo = makeSnapshot(fs, isTooMuch ? new Map() : await fs.read([...manifests], MAX_BYTES));
  const paths = new Set<string>(also);
  let commit = (plan.git?.fetchDepth ?? 1) !== 1 || plan.git?.tags === true;
  for (const target of targets) {
    const found = isTooMuch ? null : readsOf(repo, target, folders);
    for (const path of found?.paths ?? WHOLE) paths.add(path);
    commit ||= found?.asksGit ?? false;
  }
  const isWhole = paths.has('.') || paths.size > MAX_PATHS;
  return { paths: isWhole ? WHOLE : [...paths].toSorted(), commit };
}

function readsOf(
  repo: Snapshot,
  target: TargetPlan,
  folders: readonly string[],
): { paths: readonly string[]; asksGit: boolean } {
  const { path, runtime } = target;
  const scripts = [...(repo.packageJson(path)?.scripts.values() ?? [])];
  const commands = [target.installCommand, target.buildCommand, target.startCommand ?? null, ...scripts];
  const asksGit = commands.some((command) => command !== null && ASKS_GIT.test(command));
  const whole = { paths: WHOLE, asksGit };
  const above = [...upward(path)].slice(1);
  // Other languages' modules may be anywhere, and so may what Nx calls a library or an own Dockerfile copies.
  if (path === '.' || (runtime && runtime.name !== 'node') || 'dockerfile' in target) return whole;
  if (above.some((dir) => repo.has(join(dir, 'nx.json')))) return whole;
  if (commands.some((command) => command !== null && LEAVES.test(command))) return whole;
  const paths = new Set<string>([path]);
  for (const dir of above)
    for (const [name, kind] of repo.fs.list(dir))
      if (kind !== 'directory' && !PROSE.test(name)) paths.add(join(dir, name));
  if (!isWithin(target.installPath, path)) return whole;
  const packages = packagesOf(repo, path, folders);
  if (packages === null) return whole;
  for (const dir of packages) {
    paths.add(dir);
    const named = pathsNamedIn(repo, dir);
    if (named === null) return whole;
    for (const one of named) paths.add(one);
  }
  return { paths: [...paths], asksGit };
}

/** The folder itself and every package that it depends on, by workspace or path; null where one is elsewhere. */
function packagesOf(repo: Snapshot, path: string, folders: readonly string[]): readonly string[] | null {
  const workspace = workspaceOf(repo, path);
  const byName = workspace ? workspacePackages(repo, workspace, folders) : new Map<string, string>();
  const seen = new Set<string>();
  const open = [path];
  for (let dir = open.pop(); dir !== undefined; dir = open.pop()) {
    if (seen.has(dir)) continue;
    seen.add(dir);
    const raw = repo.packageJson(dir)?.raw ?? {};
    for (const field of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'])
      for (const [name, version] of Object.entries((raw[field] ?? {}) as Record<string, unknown>)) {
        const local = LOCAL.exec(String(version))?.[1];
        const folder = local === undefined ? byName.get(name) : resolvePath(dir, local);
        if (folder === null) return null;
        if (folder !== undefined) open.push(folder);
      }
  }
  return [...seen];
}

/** Paths outside of a folder that its TypeScript configuration names; null where that cannot be told. */
function pathsNamedIn(repo: Snapshot, dir: string): readonly string[] | null {
  const found: string[] = [];
  for (const name of ['tsconfig.json', 'jsconfig.json']) {
    const file = join(dir, name);
    if (!repo.has(file)) continue;
    const text = repo.text(file);
    if (text === undefined) return null;
    for (const [, named = ''] of text.matchAll(/"((?:\.\/)*\.\.\/[^"]*)"/g)) {
      // What is meant by a pattern is in the folder before it.
      const path = resolvePath(dir, named.replace(/\*.*$/, ''));
      if (path === null || path === '.') return null;
      if (repo.fs.kind(path) !== undefined) found.push(path);
      else if (repo.fs.kind(`${path}.json`) !== undefined) found.push(`${path}.json`);
    }
  }
  return found;
}

/** A path seen from a folder; null where it leaves the repository. */
function resolvePath(dir: string, relative: string): string | null {
  let at = dir;
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') at = join(at, part);
    else {
      const up = parent(at);
      if (up === null) return null;
      at = up;
    }
  }
  return at;
}
