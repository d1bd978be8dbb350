import { join, parent, upward } from '../../../../contract/repo-fs.ts';
import { globMatches } from './globMatch.ts';
import { parseJsonObject } from './packageJson.ts';
import type { Snapshot } from './snapshot.ts';
import { readYaml } from './yamlText.ts';

/** A workspace definition: the folder that it lies in, the file that says so, and its patterns. */
export interface Workspace {
  readonly root: string;
  readonly file: string;
  readonly patterns: readonly string[];
}

const known = new WeakMap<Snapshot, Map<string, Workspace | undefined>>();

/** The workspace defined in this very folder; read once for a snapshot. */
function workspaceAt(repo: Snapshot, dir: string): Workspace | undefined {
  const read = known.get(repo) ?? new Map<string, Workspace | undefined>();
  known.set(repo, read);
  if (!read.has(dir)) read.set(dir, readWorkspace(repo, dir));
  return read.get(dir);
}

/** pnpm's file, `workspaces` of package.json (npm, yarn, bun), or Lerna's. */
function readWorkspace(repo: Snapshot, dir: string): Workspace | undefined {
  const pnpmFile = join(dir, 'pnpm-workspace.yaml');
  const pnpm = repo.text(pnpmFile);
  if (pnpm !== undefined) {
    const patterns = yamlList(pnpm, 'packages');
    if (patterns !== undefined) return { root: dir, file: pnpmFile, patterns };
  }
  const patterns = repo.packageJson(dir)?.workspaces;
  if (patterns !== undefined) return { root: dir, file: join(dir, 'package.json'), patterns };
  const lernaFile = join(dir, 'lerna.json');
  const lerna = repo.text(lernaFile);
  const packages = lerna === undefined ? undefined : jsonList(lerna, 'packages');
  return packages && { root: dir, file: lernaFile, patterns: packages };
}

/** The nearest workspace above (or at) the folder that counts it in; undefined for a folder that stands alone. */
export function workspaceOf(repo: Snapshot, dir: string): Workspace | undefined {
  for (const root of upward(dir)) {
    const workspace = workspaceAt(repo, root);
    if (workspace && (root === dir || isMember(workspace, dir))) return workspace;
  }
  return undefined;
}

function isMember(workspace: Workspace, dir: string): boolean {
  const path = relativePath(workspace.root, dir);
  const wanted = workspace.patterns.filter((p) => !p.startsWith('!'));
  const unwanted = workspace.patterns.filter((p) => p.startsWith('!')).map((p) => p.slice(1));
  return wanted.some((p) => globMatches(p, path)) && !unwanted.some((p) => globMatches(p, path));
}

/** `relative('.', 'a/b')` → `a/b`; `relative('a', 'a/b')` → `b`; the folder must lie below the root. */
const relativePath = (root: string, dir: string): string =>
  root === '.' ? dir : dir === root ? '.' : dir.slice(root.length + 1);

/** Folders of a workspace's packages by package name. */
export function workspacePackages(
  repo: Snapshot,
  workspace: Workspace,
  folders: readonly string[],
): ReadonlyMap<string, string> {
  const byName = new Map<string, string>();
  for (const dir of folders) {
    const inside = workspace.root === '.' || dir.startsWith(`${workspace.root}/`);
    const name = inside && dir !== workspace.root && isMember(workspace, dir) ? repo.packageJson(dir)?.name : undefined;
    if (name !== undefined) byName.set(name, dir);
  }
  return byName;
}

/** A list of texts under a key of a YAML file; aliases are bounded (a "billion laughs" file is refused). */
function yamlList(source: string, key: string): readonly string[] | undefined {
  return textsOf(readYaml(source, [key])?.[key]);
}

function jsonList(source: string, key: string): readonly string[] | undefined {
  try {
    return textsOf(parseJsonObject(source)[key]);
  } catch {
    return undefined;
  }
}

const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : undefined;

/** Folder of a package seen from another: for `cd`. */
export function pathBetween(from: string, to: string): string {
  let up = '';
  for (let at: string | null = from; at !== null; at = parent(at)) {
    if (at === to) return up === '' ? '.' : up.slice(0, -1);
    if (at === '.' || to.startsWith(`${at}/`)) return up + relativePath(at, to);
    up += '../';
  }
  return to;
}
