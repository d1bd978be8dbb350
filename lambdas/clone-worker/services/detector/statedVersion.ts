import { join, upward } from '../../../../contract/repo-fs.ts';
import { tableOf, textOf } from './dataFile.ts';
import { namesWhere } from './listedNames.ts';
import { managedVersions } from './managedVersions.ts';
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
    for (const [file, rule, text] of statementsOf(repo, at, names)) {
      const version = text === undefined ? undefined : versionIn(text);
      if (version !== undefined) return { version, file, rule };
    }
  }
  return fromWorkflows(repo, names);
}

type Statement = readonly [file: string, rule: string, text: string | undefined];

function* statementsOf(repo: Snapshot, at: string, { tools, variable }: VersionNames): Generator<Statement> {
  const read = (name: string) => repo.text(join(at, name));
  for (const { file, rule, text } of managedVersions(repo, at, tools)) yield [file, rule, text];
  yield [join(at, 'netlify.toml'), `build.environment.${variable}`, netlifyVersion(read('netlify.toml'), variable)];
  const vercel = parseJsonc((read('vercel.json') ?? '').slice(0, 64 * 1024));
  const build = tableOf(vercel as Readonly<Record<string, unknown>> | undefined, 'build');
  yield [join(at, 'vercel.json'), `build.env.${variable}`, textOf(tableOf(build, 'env'), variable)];
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
  for (const name of namesWhere(repo.fs, WORKFLOWS, (name) => repo.text(join(WORKFLOWS, name)) !== undefined).sort()) {
    const file = join(WORKFLOWS, name);
    for (const [, rule = '', text = ''] of (repo.text(file) ?? '').slice(0, 64 * 1024).matchAll(pattern)) {
      const version = versionIn(text);
      if (version !== undefined) return { version, file, rule };
    }
  }
  return undefined;
}
