import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { parse } from 'yaml';
import { readRepoFile } from '../../shared/repo-files.ts';
import { type LockedScripts, namesIn, ofNpmLock, ofPnpm, reasonOfScripts } from './install-scripts.ts';
import { readPackageJson, type ServicePackage, stringsIn } from './package-json.ts';
import { namedPaths } from './settings.ts';

export interface Manifests {
  /** Files and folders, relative to the install root, that an installation reads. */
  readonly paths: readonly string[];
  /** Why an installation needs the whole source; null where `paths` are enough. */
  readonly needsSource: string | null;
  readonly devDependencies: boolean;
  /** Programs of the workspace's own packages, which an installation makes executable. */
  readonly programs: readonly string[];
}

const LIFECYCLE = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'] as const;
/** Git hooks, which a build has no use for (`run` switches husky off), and patches, which are copied. */
const HARMLESS =
  /^(?:(?:npx |is-ci \|\| |node )?(?:husky|lefthook|simple-git-hooks)(?: install)?(?: \|\| (?:true|exit 0|:))?|(?:npx )?patch-package)$/;
/** What a plain installation is: anything else may read any file. */
const PLAIN = /^(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install))(?: --?[a-z][\w=.-]*)*$/;

const LOCKFILES = {
  npm: ['npm-shrinkwrap.json', 'package-lock.json'],
  pnpm: ['pnpm-lock.yaml'],
  yarn: ['yarn.lock'],
  bun: ['bun.lock', 'bun.lockb'],
} as const;
type Manager = keyof typeof LOCKFILES;

/** Settings of package managers that may name files of the repository. */
const SETTINGS_FILES = [
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.pnpmrc',
  'pnpm-workspace.yaml',
  'bunfig.toml',
  '.puppeteerrc',
];
/** Of the install root. */
const ROOT_FILES = new Set([
  ...SETTINGS_FILES,
  ...Object.values(LOCKFILES).flat(),
  'package.json',
  '.pnpmfile.cjs',
  '.pnpmfile.mjs',
  'pnpmfile.js',
  '.nvmrc',
  '.node-version',
  '.tool-versions',
  'lerna.json',
  'schema.prisma',
]);
/** What install scripts look for by its name, in the root and in every package. */
const SETTINGS_NAME =
  /^(?:\.[\w-]+rc(?:\.(?:json|ya?ml|toml|[cm]?[jt]s))?|[\w.-]+\.config\.(?:json|[cm]?[jt]s)|(?:lefthook|\.lefthook)\.\w+)$/;
const ROOT_FOLDERS = new Set(['patches', '.yarn', 'prisma', '.config']);
/** Of every package of a workspace. */
const PACKAGE_FILES = new Set(['package.json', '.npmrc', '.yarnrc', '.yarnrc.yml', 'schema.prisma']);
const PACKAGE_FOLDERS = new Set(['patches', 'prisma']);
const NEVER = new Set(['node_modules', '.git']);
const MAX_FOLDERS = 20_000;
/** Lockfiles of large workspaces have some ten megabytes. */
const MAX_LOCKFILE_BYTES = 32 * 1_024 * 1_024;

/** A dependency that lies in the repository: its sources are part of the installation. */
const LOCAL = /^(?:file:|link:|portal:|exec:|\.{1,2}(?:\/|$)|\/|~\/|.*\.(?:tgz|tar\.gz|tar)$)/;
const isLocal = (specifier: string) => LOCAL.test(specifier) && !/^[a-z+]+:\/\//.test(specifier);

/** Entries of a folder that are no links. */
async function readEntries(folder: string): Promise<Dirent[]> {
  const all = await readdir(folder, { withFileTypes: true });
  return all.filter((entry) => !entry.isSymbolicLink() && !NEVER.has(entry.name));
}

/** Folders below `root`, itself first, without links and node_modules. */
async function* walkFolders(root: string): AsyncGenerator<string> {
  const left = ['.'];
  for (let count = 0; left.length > 0 && count < MAX_FOLDERS; count++) {
    const folder = left.shift()!;
    yield folder;
    for (const entry of await readEntries(join(root, folder)))
      if (entry.isDirectory()) left.push(join(folder, entry.name));
  }
}

/** Empty where there is none that can be read. */
const textOf = (file: string) => readRepoFile(file).catch(() => '');

interface Found {
  readonly paths: Set<string>;
  readonly programs: Set<string>;
  readonly packages: { readonly folder: string; readonly pkg: ServicePackage }[];
  reason: string | null;
}

/**
 * What an installation needs: with these files alone its layer stays valid as long as none of them changes. Where a
 * script of the repository runs during the installation, a dependency lies in it, or a dependency's script may read any
 * file of it, everything is needed.
 * @param version of the package manager, where it is known.
 */
export async function installManifests(root: string, installCommand: string, version = ''): Promise<Manifests> {
  const rootPackage = await readPackageJson(root);
  const top = await readEntries(root);
  const names = new Set(top.filter((e) => e.isFile()).map((e) => e.name));
  const manager = (/^(npm|pnpm|yarn|bun)\b/.exec(installCommand.trim())?.[1] ?? 'npm') as Manager;
  const lockfile = LOCKFILES[manager].find((name) => names.has(name));
  const found: Found = { paths: new Set(), programs: new Set(), packages: [], reason: null };
  if (rootPackage === null) found.reason = 'there is no readable package.json';
  if (!PLAIN.test(installCommand.trim())) found.reason ??= 'the install command is not a plain one';
  if (names.has('binding.gyp')) found.reason ??= 'binding.gyp is compiled';
  const workspace = rootPackage?.workspaces || names.has('pnpm-workspace.yaml');
  for await (const folder of workspace ? walkFolders(root) : ['.']) await addPackage(root, folder, found);
  if (rootPackage !== null && lockfile === undefined) found.reason ??= `there is no lockfile of ${manager}`;
  await addSettings(root, found);
  if (lockfile !== undefined) found.reason ??= await reasonOfLock(root, { manager, version, lockfile, found, names });
  return {
    paths: withoutNested(found.paths),
    needsSource: found.reason,
    devDependencies: found.packages.some(({ pkg }) => Object.keys(pkg.devDependencies).length > 0),
    programs: [...found.programs].sort(),
  };
}

/** A folder's own files: of the root, or of a package of the workspace. */
async function addPackage(root: string, folder: string, found: Found): Promise<void> {
  const pkg = await readPackageJson(join(root, folder));
  if (pkg === null && folder !== '.') return;
  const [files, dirs] = folder === '.' ? [ROOT_FILES, ROOT_FOLDERS] : [PACKAGE_FILES, PACKAGE_FOLDERS];
  for (const entry of await readEntries(join(root, folder))) {
    const taken = entry.isFile()
      ? files.has(entry.name) || (SETTINGS_NAME.test(entry.name) && !/^\.env/.test(entry.name))
      : entry.isDirectory() && dirs.has(entry.name);
    if (taken) found.paths.add(join(folder, entry.name));
  }
  if (pkg === null) return;
  found.packages.push({ folder, pkg });
  found.reason ??= reasonOfPackage(pkg, folder);
  if (folder === '.') return;
  const inside = pkg.bins.map((bin) => normalize(join(folder, bin))).filter((path) => path.startsWith(`${folder}/`));
  for (const { path } of await namedPaths(root, '.', inside.map((path) => JSON.stringify(path)).join('\n'))) {
    found.paths.add(path);
    found.programs.add(path);
  }
}

function reasonOfPackage(pkg: ServicePackage, folder: string): string | null {
  for (const name of LIFECYCLE) {
    const script = pkg.scripts[name];
    if (script !== undefined && !HARMLESS.test(script.trim()))
      return `${join(folder, 'package.json')} has a ${name} script`;
  }
  const local = Object.entries({ ...pkg.dependencies, ...pkg.devDependencies }).find(([, specifier]) =>
    isLocal(specifier),
  );
  if (local !== undefined) return `${local[0]} is installed from a folder`;
  const override = pkg.overrides.find(isLocal);
  if (override !== undefined) return `${override} is installed from a folder`;
  return pkg.injects ? `${join(folder, 'package.json')} has injected dependencies` : null;
}

/** What the settings name of the repository. A folder that holds packages of the workspace is not meant as one of settings. */
async function addSettings(root: string, found: Found): Promise<void> {
  const packages = found.packages.map(({ folder }) => folder);
  for (const { folder, pkg } of found.packages) {
    const texts = await Promise.all(SETTINGS_FILES.map((name) => textOf(join(root, folder, name))));
    const specifiers = [...Object.values({ ...pkg.dependencies, ...pkg.devDependencies }), ...pkg.overrides];
    const own = [...stringsIn(pkg.settings), ...specifiers].map((text) => JSON.stringify(text));
    const { schema } = (pkg.settings.prisma ?? {}) as { schema?: unknown };
    if (typeof schema === 'string') own.push(JSON.stringify(`./${schema}`));
    for (const { path, isFile } of await namedPaths(root, folder, [...texts, ...own].join('\n'))) {
      if (isFile || !packages.some((at) => at === path || at.startsWith(`${path}/`))) found.paths.add(path);
      if (isFile) await addProgram(root, path, found);
    }
  }
  for (const name of PNPMFILES) await addProgram(root, name, found);
}

const PNPMFILES = ['.pnpmfile.cjs', '.pnpmfile.mjs'];
const LOADS_ANOTHER = /\b(?:require|import)\s*\(\s*['"`]\.|\bfrom\s*['"]\.|\bimport\s*['"]\./;

/** Hooks of the repository's own that load a further file may load any. Releases and plugins of Yarn are one file each. */
async function addProgram(root: string, path: string, found: Found): Promise<void> {
  if (!/\.[cm]?[jt]s$/.test(path) || path.startsWith('.yarn/')) return;
  if (LOADS_ANOTHER.test(await textOf(join(root, path))))
    found.reason ??= `${path} loads other files of the repository`;
}

interface Locked {
  readonly manager: Manager;
  readonly version: string;
  readonly lockfile: string;
  readonly found: Found;
  readonly names: ReadonlySet<string>;
}

async function reasonOfLock(root: string, locked: Locked): Promise<string | null> {
  const { manager, lockfile, found, names } = locked;
  const npmrc = await textOf(join(root, '.npmrc'));
  const workspaceText = await textOf(join(root, 'pnpm-workspace.yaml'));
  let settings: Record<string, unknown>;
  let scripts: LockedScripts;
  try {
    const pnpm = found.packages[0]?.pkg.settings.pnpm as Record<string, unknown> | undefined;
    settings = { ...pnpm, ...((parse(workspaceText) ?? {}) as Record<string, unknown>) };
    scripts = await lockedScripts(root, locked, settings);
  } catch {
    return `${lockfile} or pnpm-workspace.yaml cannot be read`;
  }
  if (manager === 'pnpm') {
    const elsewhere = [settings.overrides, settings.catalog, settings.catalogs]
      .flatMap((v) => stringsIn(v))
      .find(isLocal);
    if (elsewhere !== undefined) return `${elsewhere} is installed from a folder`;
    if (settings.injectWorkspacePackages === true || /^inject-workspace-packages\s*=\s*true/m.test(npmrc))
      return 'packages of the workspace are injected';
  }
  if (/^ignore-scripts\s*=\s*true\s*$/m.test(npmrc) && manager !== 'bun') return null;
  const prismaProgram = [...names].some((name) => /^prisma\.config\.[cm]?[jt]s$/.test(name));
  return reasonOfScripts(scripts, { prismaProgram });
}

async function lockedScripts(
  root: string,
  { manager, version, lockfile, found }: Locked,
  settings: Record<string, unknown>,
): Promise<LockedScripts> {
  const text = await readRepoFile(join(root, lockfile), MAX_LOCKFILE_BYTES);
  if (manager === 'npm') return ofNpmLock(text);
  // Without a version it is the newest.
  if (manager === 'pnpm') return ofPnpm(text, Number.parseInt(version || '10', 10), settings);
  // Bun's older lockfile is no text: the direct dependencies at least are known.
  const direct = found.packages.flatMap(({ pkg }) => Object.keys({ ...pkg.dependencies, ...pkg.devDependencies }));
  return { withScripts: null, names: [...direct, ...namesIn(text)] };
}

/** Sorted, without what lies in a folder that is copied as a whole. */
function withoutNested(paths: ReadonlySet<string>): string[] {
  const inAnother = (path: string) =>
    path.split('/').some((_, i, parts) => i > 0 && paths.has(parts.slice(0, i).join('/')));
  return [...paths].filter((path) => !inAnother(path)).sort();
}
