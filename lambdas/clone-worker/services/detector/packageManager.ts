import semver from 'semver';
import type { PackageManager } from '../../../../contract/plan.ts';
import { join, upward } from '../../../../contract/repo-fs.ts';
import type { Findings } from './findings.ts';
import { versionWithin } from './npmVersion.ts';
import type { Snapshot } from './snapshot.ts';
import type { Workspace } from './workspaces.ts';
import { readYaml } from './yamlText.ts';

type Name = PackageManager['name'];

/**
 * Lockfiles in order of precedence where a folder has several: npm's last, since it is the one that appears by
 * accident (all peers agree on that; among the rest this is Vercel's order).
 */
const LOCKFILES: readonly (readonly [file: string, name: Name])[] = [
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
];
const NAMES: ReadonlySet<string> = new Set(['npm', 'pnpm', 'yarn', 'bun']);
const isName = (name: string): name is Name => NAMES.has(name);

export interface PackageManagerChoice {
  readonly manager: PackageManager;
  /** Its lockfile, where one lies in the folder that is installed from. */
  readonly lockfile: string | undefined;
}

export const hasLockfile = (repo: Snapshot, dir: string): boolean =>
  LOCKFILES.some(([file]) => repo.has(join(dir, file)));

interface Stated {
  readonly name: Name;
  readonly version?: string;
  readonly file: string;
  readonly rule: string;
}

/**
 * Which package manager, and its version. In order: `packageManager`, then `devEngines.packageManager` (nearest
 * package.json upward), a lockfile (nearest folder upward), pnpm's workspace file, a package manager in `engines`, npm.
 */
export function choosePackageManager(
  repo: Snapshot,
  dir: string,
  installPath: string,
  workspace: Workspace | undefined,
  findings: Findings,
): PackageManagerChoice {
  const locked = lockfilesAbove(repo, dir);
  const stated = statedUpward(repo, dir, findings) ?? fromLockfile(locked, workspace) ?? fromHints(repo, dir);
  const name: Name = stated?.name ?? 'npm';
  findings.because('packageManager', name, stated?.rule ?? 'default', stated?.file);
  const mine = locked.find((l) => l.name === name);
  warnAboutLockfiles(locked, name, stated, findings);
  const version =
    stated?.version === undefined
      ? versionFromFormat(repo, installPath, mine?.file, name, findings)
      : findings.because('packageManager.version', stated.version, stated.rule, stated.file);
  return {
    manager: version === undefined ? { name } : { name, version },
    lockfile: LOCKFILES.filter(([, n]) => n === name)
      .map(([file]) => join(installPath, file))
      .find((file) => repo.has(file)),
  };
}

/** Lockfiles of the nearest folder that has any, best first. */
function lockfilesAbove(repo: Snapshot, dir: string): { file: string; name: Name }[] {
  for (const at of upward(dir)) {
    const here = LOCKFILES.flatMap(([file, name]) =>
      repo.has(join(at, file)) ? [{ file: join(at, file), name }] : [],
    );
    if (here.length > 0) return here;
  }
  return [];
}

function statedUpward(repo: Snapshot, dir: string, findings: Findings): Stated | undefined {
  for (const at of upward(dir)) {
    const file = join(at, 'package.json');
    const pkg = repo.packageJson(at);
    if (!pkg) continue;
    if (pkg.packageManager !== undefined) {
      const stated = fromField(pkg.packageManager, file);
      if (stated) return stated;
      findings.warn(
        `${file}: packageManager "${shortenText(pkg.packageManager)}" names no package manager that is known (npm, pnpm, yarn, bun); it was ignored.`,
      );
    }
    for (const { name, version } of pkg.devEngines.packageManager) {
      if (!isName(name)) continue;
      const known = version === undefined ? undefined : versionOfRange(version, name);
      return { name, file, rule: 'devEngines.packageManager', ...(known === undefined ? {} : { version: known }) };
    }
  }
  return undefined;
}

/** `pnpm@9.1.0+sha512.…`. Source: Corepack's README. A version that is not exact is not used. */
function fromField(field: string, file: string): Stated | undefined {
  const [, name = '', rest] = /^([a-z]+)(?:@(.+))?$/.exec(field) ?? [];
  if (!isName(name)) return undefined;
  const version = rest?.replace(/\+.*$/, '');
  const known = version === undefined ? undefined : (semver.valid(version) ?? versionOfRange(version, name));
  return {
    name,
    file,
    rule: 'packageManager field',
    ...(known === undefined || known === null ? {} : { version: known }),
  };
}

/**
 * An exact version as it is; a range that stays within one major as that major. npm is there already in some version of the
 * major, so of npm a range that does not hold the whole of it is its lowest version.
 */
function versionOfRange(text: string, name: Name): string | undefined {
  if (text.length > 128) return undefined;
  const exact = semver.valid(text);
  if (exact) return exact;
  if (!semver.validRange(text)) return undefined;
  const major = semver.minVersion(text)?.major;
  if (major === undefined || major === 0 || !semver.subset(text, `${major}.x`)) return undefined;
  return name === 'npm' ? (versionWithin(text, major) ?? undefined) : String(major);
}

function fromLockfile(
  locked: readonly { file: string; name: Name }[],
  workspace: Workspace | undefined,
): Stated | undefined {
  // A pnpm workspace can be installed by pnpm alone.
  if (workspace?.file.endsWith('pnpm-workspace.yaml'))
    return { name: 'pnpm', file: workspace.file, rule: 'pnpm workspace file' };
  const best = locked[0];
  return (
    best && { ...best, rule: locked.length > 1 ? 'lockfile, first by precedence bun > yarn > pnpm > npm' : 'lockfile' }
  );
}

/** No lockfile: `engines` may still name one, as `{"pnpm": ">=9"}`. npm in `engines` names no choice, since everybody has it. */
function fromHints(repo: Snapshot, dir: string): Stated | undefined {
  for (const at of upward(dir)) {
    const engines = repo.packageJson(at)?.engines;
    const name = (['pnpm', 'yarn', 'bun'] as const).find((n) => engines?.has(n));
    if (name !== undefined && engines !== undefined) {
      const version = versionOfRange(engines.get(name)!, name);
      return {
        name,
        file: join(at, 'package.json'),
        rule: `engines.${name}`,
        ...(version === undefined ? {} : { version }),
      };
    }
  }
  return undefined;
}

function warnAboutLockfiles(
  locked: readonly { file: string; name: Name }[],
  name: Name,
  stated: Stated | undefined,
  findings: Findings,
): void {
  const others = locked.filter((l) => l.name !== name).map((l) => l.file);
  if (others.length === 0) return;
  const why = stated?.rule === 'packageManager field' ? `${stated.file} says so` : 'it comes first';
  if (locked.some((l) => l.name === name))
    findings.warn(
      `Several lockfiles: ${name} is used because ${why}; remove ${others.join(', ')} if it is not needed.`,
    );
  else
    findings.warn(
      `${stated?.file ?? 'The configuration'} asks for ${name}, but the lockfile is ${others.join(', ')}: versions are not locked.`,
    );
}

/** The major that writes this format of lockfile. Sources: pnpm's and yarn's changelogs; see docs/decisions/detection-package-manager.md. */
function versionFromFormat(
  repo: Snapshot,
  installPath: string,
  lockfile: string | undefined,
  name: Name,
  findings: Findings,
): string | undefined {
  if (name === 'yarn') {
    const yarnrc = repo.text(join(installPath, '.yarnrc.yml'));
    const release = /^yarnPath:\s*["']?\S{0,200}?yarn-(\d+\.\d+\.\d+(?:-[\w.]+)?)\.c?js/m.exec(yarnrc ?? '')?.[1];
    if (release !== undefined)
      return findings.because('packageManager.version', release, 'yarnPath', join(installPath, '.yarnrc.yml'));
  }
  if (lockfile === undefined) return undefined;
  const head = repo.head(lockfile) ?? '';
  const version = name === 'pnpm' ? pnpmMajor(head, repo, installPath) : name === 'yarn' ? yarnMajor(head) : undefined;
  return version === undefined
    ? undefined
    : findings.because('packageManager.version', version, 'lockfile format', lockfile);
}

const PNPM_MAJOR: Readonly<Record<string, string>> = {
  '5.1': '5',
  '5.2': '5',
  '5.3': '6',
  '5.4': '7',
  '6.0': '8',
  '6.1': '8',
  '7.0': '8',
};

function pnpmMajor(head: string, repo: Snapshot, installPath: string): string | undefined {
  const format = /^lockfileVersion:\s{0,9}['"]?(\d+\.\d+)/m.exec(head)?.[1];
  if (format === '9.0') return usesPnpm10Settings(repo, installPath) ? '10' : '9';
  return format === undefined ? undefined : PNPM_MAJOR[format];
}

/** pnpm 9 and 10 write the same format; 10 alone reads settings such as `overrides` from pnpm-workspace.yaml. */
function usesPnpm10Settings(repo: Snapshot, installPath: string): boolean {
  const settings = readYaml(repo.text(join(installPath, 'pnpm-workspace.yaml')) ?? '', []) ?? {};
  if (Object.keys(settings).some((key) => !['packages', 'catalog', 'catalogs'].includes(key))) return true;
  const pnpm = repo.packageJson(installPath)?.raw.pnpm;
  return typeof pnpm === 'object' && pnpm !== null && 'onlyBuiltDependencies' in pnpm;
}

/** yarn.lock: version 1 says so in a comment; later ones hold `__metadata.version`: 4 → 2, 5 and 6 → 3, 7 and 8 → 4. */
function yarnMajor(head: string): string | undefined {
  if (/^# yarn lockfile v1/m.test(head)) return '1';
  const format = /^__metadata:\s{0,9}\n\s{1,9}version:\s{0,9}['"]?(\d+)/m.exec(head)?.[1];
  if (format === undefined) return undefined;
  return Number(format) >= 7 ? '4' : Number(format) >= 5 ? '3' : '2';
}

/**
 * The command that installs exactly what the lockfile says, or the plain one where there is none.
 * @param checksEngines False where Yarn 1 would refuse the builder's Node for an exact version in `engines`.
 */
export function installCommand({ manager, lockfile }: PackageManagerChoice, checksEngines = true): string {
  const frozen = lockfile !== undefined;
  switch (manager.name) {
    case 'npm':
      return frozen ? 'npm ci' : 'npm install';
    case 'pnpm':
      return frozen ? 'pnpm install --frozen-lockfile' : 'pnpm install';
    case 'bun':
      return frozen ? 'bun install --frozen-lockfile' : 'bun install';
    case 'yarn': {
      const classic = manager.version === undefined || semver.major(semver.coerce(manager.version) ?? '1.0.0') === 1;
      if (!classic) return frozen ? 'yarn install --immutable' : 'yarn install';
      return `yarn install${frozen ? ' --frozen-lockfile' : ''}${checksEngines ? '' : ' --ignore-engines'}`;
    }
  }
}

const shortenText = (text: string) =>
  (text.length > 60 ? `${text.slice(0, 60)}…` : text).replace(/[\u0000-\u001f\u007f]/g, '?');
