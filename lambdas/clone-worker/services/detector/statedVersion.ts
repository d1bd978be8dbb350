import { join, upward } from '../../../../contract/repo-fs.ts';
import { entryOf, tableOf, textOf } from './dataFile.ts';
import type { Snapshot } from './snapshot.ts';
import { parseJsonc } from './sourceText.ts';
import { readToml } from './tomlText.ts';

export interface StatedVersion {
  readonly version: string;
  readonly file: string;
  readonly rule: string;
}

/** Under which names a program's version is stated. */
export interface VersionNames {
  /** Names in `.tool-versions` and in mise's files. */
  readonly tools: readonly string[];
  /** A variable of build hosts: `HUGO_VERSION`. */
  readonly variable: string;
  /** Keys of steps in GitHub's workflows: `hugo-version`. */
  readonly workflow: readonly string[];
}

/** Numbers with dots, perhaps after what names the edition: `v0.128.0`, `extended_0.128.0`. */
const VERSION = /^(?:extended[_-])?v?(\d{1,5}(?:\.\d{1,5}){0,3})$/;
export const versionIn = (text: string): string | undefined => VERSION.exec(text.trim().slice(0, 64))?.[1];

/**
 * The version of a program that the repository states for its builds: in the folder or above it by `.tool-versions` and mise,
 * then for other build hosts (netlify.toml, vercel.json, GitHub's workflows). Sources: the documentation of asdf, mise,
 * Netlify ("File-based configuration"), Vercel (`build.env`) and of the action peaceiris/actions-hugo.
 */
export function findStatedVersion(repo: Snapshot, dir: string, names: VersionNames): StatedVersion | undefined {
  for (const at of upward(dir)) {
    for (const [name, rule, text] of statementsOf(repo, at, names)) {
      const version = text === undefined ? undefined : versionIn(text);
      if (version !== undefined) return { version, file: join(at, name), rule };
    }
  }
  return fromWorkflows(repo, names);
}

/** Where mise looks in a folder. Source: mise's documentation, "Configuration". */
export const MISE_PLACES = [
  'mise.toml',
  '.mise.toml',
  'mise/config.toml',
  '.mise/config.toml',
  '.config/mise.toml',
  '.config/mise/config.toml',
];

type Statement = readonly [file: string, rule: string, text: string | undefined];

function* statementsOf(repo: Snapshot, at: string, { tools, variable }: VersionNames): Generator<Statement> {
  const read = (name: string) => repo.text(join(at, name));
  yield ['.tool-versions', '.tool-versions', toolVersion(read('.tool-versions'), tools)];
  for (const name of MISE_PLACES) yield [name, 'mise tools', miseVersion(read(name), tools)];
  yield ['netlify.toml', `build.environment.${variable}`, netlifyVersion(read('netlify.toml'), variable)];
  const vercel = parseJsonc((read('vercel.json') ?? '').slice(0, 64 * 1024));
  const build = tableOf(vercel as Readonly<Record<string, unknown>> | undefined, 'build');
  yield ['vercel.json', `build.env.${variable}`, textOf(tableOf(build, 'env'), variable)];
}

const toolVersion = (text: string | undefined, tools: readonly string[]): string | undefined => {
  for (const line of (text ?? '').slice(0, 16_384).split(/\r?\n/)) {
    const [name = '', version] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (version !== undefined && tools.includes(name)) return version;
  }
  return undefined;
};

/** `hugo = "0.128"`, `hugo = ["0.128"]`, `"aqua:gohugoio/hugo" = {version = "0.128"}` below `[tools]`. */
function miseVersion(source: string | undefined, tools: readonly string[]): string | undefined {
  const table = source === undefined ? undefined : tableOf(readToml(source), 'tools');
  for (const [name, value] of Object.entries(table ?? {})) {
    if (!tools.includes(name.replace(/^.*[:/]/, ''))) continue;
    const first: unknown = Array.isArray(value) ? value[0] : value;
    const version = typeof first === 'object' && first !== null ? entryOf(first as never, 'version') : first;
    if (typeof version === 'string' || typeof version === 'number') return String(version);
  }
  return undefined;
}

/** What the production build is given wins over what all builds are. */
function netlifyVersion(source: string | undefined, variable: string): string | undefined {
  if (source === undefined) return undefined;
  const data = readToml(source);
  const production = tableOf(tableOf(data, 'context'), 'production');
  return (
    textOf(tableOf(production, 'environment'), variable) ??
    textOf(tableOf(tableOf(data, 'build'), 'environment'), variable)
  );
}

const WORKFLOWS = '.github/workflows';

/** Keys are looked for line by line: a version that comes from an expression (`${{ … }}`) is none. */
function fromWorkflows(repo: Snapshot, { variable, workflow }: VersionNames): StatedVersion | undefined {
  const keys = [variable, ...workflow].map((key) => key.replace(/[^\w-]/g, ''));
  const pattern = new RegExp(
    `^[ \\t]{0,60}(?:- )?(${keys.join('|')}):[ \\t]{0,9}["']?([\\w.-]{1,40})["']?[ \\t]{0,9}(?:#.{0,200})?$`,
    'gm',
  );
  for (const name of [...repo.fs.list(WORKFLOWS).keys()].sort()) {
    const file = join(WORKFLOWS, name);
    for (const [, rule = '', text = ''] of (repo.text(file) ?? '').slice(0, 64 * 1024).matchAll(pattern)) {
      const version = versionIn(text);
      if (version !== undefined) return { version, file, rule };
    }
  }
  return undefined;
}
