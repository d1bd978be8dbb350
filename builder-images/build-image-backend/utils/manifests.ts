import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readRepoFile } from '../../shared/repo-files.ts';

/** A package.json as far as an installation is concerned. Anything that is not of the expected type counts as absent. */
export interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly workspaces: boolean;
}

export interface Manifests {
  /** Files and folders, relative to the install root, that an installation reads. */
  readonly paths: readonly string[];
  /** Why an installation needs the whole source; null where `paths` are enough. */
  readonly needsSource: string | null;
  readonly devDependencies: boolean;
}

const LIFECYCLE = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'] as const;
/** Git hooks, which a build has no use for (`run` switches husky off), and patches, which are copied. */
const HARMLESS =
  /^(?:(?:npx |is-ci \|\| |node )?(?:husky|lefthook|simple-git-hooks)(?: install)?(?: \|\| (?:true|exit 0|:))?|(?:npx )?patch-package)$/;
/** What a plain installation is: anything else may read any file. */
const PLAIN = /^(?:npm (?:ci|i|install)|pnpm (?:i|install)|yarn(?: install)?|bun (?:i|install))(?: --?[a-z][\w=.-]*)*$/;

/** Of the install root. */
const ROOT_FILES = new Set([
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  '.pnpmfile.cjs',
  'yarn.lock',
  '.yarnrc',
  '.yarnrc.yml',
  'bun.lock',
  'bun.lockb',
  'bunfig.toml',
  '.npmrc',
  '.nvmrc',
  '.node-version',
  'lerna.json',
]);
const ROOT_FOLDERS = new Set(['patches', '.yarn']);
/** Of every package of a workspace. */
const PACKAGE_FILES = new Set(['package.json', '.npmrc', '.yarnrc.yml']);
const NEVER = new Set(['node_modules', '.git']);
const MAX_FOLDERS = 20_000;

const strings = (value: unknown): Record<string, string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (Object.fromEntries(Object.entries(value).filter(([, v]) => typeof v === 'string')) as Record<string, string>)
    : {};

/** Null where there is none, or none that can be read: the package manager will say what is wrong with it. */
export async function readPackageJson(folder: string): Promise<PackageJson | null> {
  const file = join(folder, 'package.json');
  try {
    const parsed = JSON.parse(await readRepoFile(file)) as Record<string, unknown>;
    return {
      scripts: strings(parsed.scripts),
      dependencies: { ...strings(parsed.optionalDependencies), ...strings(parsed.dependencies) },
      devDependencies: strings(parsed.devDependencies),
      workspaces: parsed.workspaces !== undefined,
    };
  } catch {
    return null;
  }
}

/** Entries of a folder that are no links. */
async function entries(folder: string): Promise<Dirent[]> {
  const all = await readdir(folder, { withFileTypes: true });
  return all.filter((entry) => !entry.isSymbolicLink() && !NEVER.has(entry.name));
}

/** Folders below `root`, itself first, without links and node_modules. */
async function* folders(root: string): AsyncGenerator<string> {
  const left = ['.'];
  for (let count = 0; left.length > 0 && count < MAX_FOLDERS; count++) {
    const folder = left.shift()!;
    yield folder;
    for (const entry of await entries(join(root, folder))) if (entry.isDirectory()) left.push(join(folder, entry.name));
  }
}

/**
 * What an installation needs: with these files alone its layer stays valid as long as none of them changes. Where a
 * script of the repository runs during the installation, or a dependency lies in it, everything is needed.
 */
export async function installManifests(root: string, installCommand: string): Promise<Manifests> {
  const rootPackage = await readPackageJson(root);
  const top = await entries(root);
  const workspace = rootPackage?.workspaces || top.some((e) => e.name === 'pnpm-workspace.yaml');
  const paths = top
    .filter((e) => (e.isFile() ? ROOT_FILES.has(e.name) : e.isDirectory() && ROOT_FOLDERS.has(e.name)))
    .map((e) => e.name);
  let needsSource = rootPackage === null ? 'there is no readable package.json' : null;
  if (!PLAIN.test(installCommand.trim())) needsSource ??= 'the install command is not a plain one';
  if (top.some((e) => e.name === 'binding.gyp')) needsSource ??= 'binding.gyp is compiled';
  let devDependencies = false;
  for await (const folder of workspace ? folders(root) : ['.']) {
    const pkg = await readPackageJson(join(root, folder));
    if (pkg === null) continue;
    devDependencies ||= Object.keys(pkg.devDependencies).length > 0;
    needsSource ??= reasonForSource(pkg, folder);
    if (folder === '.') continue;
    const files = (await entries(join(root, folder))).filter((e) => e.isFile() && PACKAGE_FILES.has(e.name));
    paths.push(...files.map((e) => join(folder, e.name)));
  }
  return { paths: paths.sort(), needsSource, devDependencies };
}

function reasonForSource(pkg: PackageJson, folder: string): string | null {
  for (const name of LIFECYCLE) {
    const script = pkg.scripts[name];
    if (script !== undefined && !HARMLESS.test(script.trim()))
      return `${join(folder, 'package.json')} has a ${name} script`;
  }
  const local = Object.entries({ ...pkg.dependencies, ...pkg.devDependencies }).find(([, version]) =>
    /^(?:file|link|portal|\.{1,2}\/|\/)/.test(version),
  );
  return local === undefined ? null : `${local[0]} is installed from a folder`;
}
