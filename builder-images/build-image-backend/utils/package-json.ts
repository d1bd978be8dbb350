import { join } from 'node:path';
import { readRepoFile } from '../../shared/repo-files.ts';

/** A package.json as far as a service's image is concerned. Anything that is not of the expected type counts as absent. */
export interface ServicePackage {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly workspaces: boolean;
  /** Paths of the programs that others of its workspace call. */
  readonly bins: readonly string[];
  /** Specifiers of dependencies that stand elsewhere than among the dependencies: overrides, resolutions, catalogs. */
  readonly overrides: readonly string[];
  /** Everything else that settings of a package manager or of an install script may be in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** A dependency is copied at the installation, not linked. */
  readonly injects: boolean;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const strings = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? (Object.fromEntries(Object.entries(value).filter(([, v]) => typeof v === 'string')) as Record<string, string>)
    : {};

/** All strings inside a value, however deep; an object of a hostile depth is cut. */
export function stringsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  if (depth > 20 || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => stringsIn(part, depth + 1));
}

/** What no setting is in: their words name files that an installation does not read. */
const NO_SETTINGS = new Set(
  `name version description keywords author contributors license homepage repository bugs funding main module types typings
  browser exports imports files man scripts dependencies devDependencies optionalDependencies peerDependencies
  peerDependenciesMeta bin directories workspaces engines packageManager type jest nodemonConfig eslintConfig lint-staged
  prettier babel browserslist mocha ava nyc c8 vitest tsup pkg`.split(/\s+/),
);

/** Null where there is none, or none that can be read: the package manager will say what is wrong with it. */
export async function readPackageJson(folder: string): Promise<ServicePackage | null> {
  try {
    const parsed: unknown = JSON.parse(await readRepoFile(join(folder, 'package.json')));
    return isRecord(parsed) ? packageOf(parsed) : null;
  } catch {
    return null;
  }
}

function packageOf(parsed: Record<string, unknown>): ServicePackage {
  const { bin, directories } = parsed;
  const pnpm = isRecord(parsed.pnpm) ? parsed.pnpm : {};
  const meta = isRecord(parsed.dependenciesMeta) ? Object.values(parsed.dependenciesMeta) : [];
  return {
    scripts: strings(parsed.scripts),
    dependencies: { ...strings(parsed.optionalDependencies), ...strings(parsed.dependencies) },
    devDependencies: strings(parsed.devDependencies),
    workspaces: parsed.workspaces !== undefined,
    bins: [
      ...(typeof bin === 'string' ? [bin] : Object.values(strings(bin))),
      ...(isRecord(directories) && typeof directories.bin === 'string' ? [directories.bin] : []),
    ],
    overrides: [
      parsed.overrides,
      parsed.resolutions,
      parsed.catalog,
      parsed.catalogs,
      parsed.workspaces,
      pnpm.overrides,
    ]
      .flatMap((value) => (Array.isArray(value) ? [] : stringsIn(value)))
      .filter((text) => text !== ''),
    settings: Object.fromEntries(Object.entries(parsed).filter(([name]) => !NO_SETTINGS.has(name))),
    injects: meta.some((entry) => isRecord(entry) && entry.injected === true),
  };
}
