import { runtimeOf, type TargetPlan } from '../../../../contract/plan.ts';
import { depth, join } from '../../../../contract/repo-fs.ts';
import type { RuntimeName } from '../../../../contract/runtimes.ts';
import { generatorAt } from './generators.ts';
import type { ServiceLanguage } from './language.ts';
import { holdsEntry } from './listedNames.ts';
import { pathScore } from './score.ts';
import { SERVICE_LANGUAGES } from './serviceLanguages.ts';
import type { Snapshot } from './snapshot.ts';

const TITLES = SERVICE_LANGUAGES.map(({ title }) => title);
export const ONLY_BUILDERS = `There are builders for Node, ${TITLES.join(', ')} and static pages only`;
/** The language that services are built in, of a phrase of `otherLanguages`. */
export const servedLanguage = (what: string): ServiceLanguage | undefined =>
  SERVICE_LANGUAGES.find(({ project }) => what.startsWith(`${project} (`));

/** Marks of other languages, most without a builder: only to say so instead of "nothing found". */
const MARKS: ReadonlyMap<string, string> = new Map<string, string>([
  ['Cargo.toml', 'a Rust crate'],
  ['Gemfile', 'a Ruby project'],
  ['config.ru', 'a Ruby project'],
  ['composer.json', 'a PHP project'],
  ['pom.xml', 'a Java project'],
  ['build.gradle', 'a Java project'],
  ['build.gradle.kts', 'a Kotlin project'],
  ['mix.exs', 'an Elixir project'],
  ['pubspec.yaml', 'a Dart project'],
  ['deno.json', 'a Deno project'],
  ['Package.swift', 'a Swift package'],
  ['CMakeLists.txt', 'a C or C++ project'],
  ['deno.jsonc', 'a Deno project'],
  ['artisan', 'a PHP project'],
  ['app.rb', 'a Ruby project'],
  ['main.rb', 'a Ruby project'],
  ['deps.edn', 'a Clojure project'],
  ['cpanfile', 'a Perl project'],
  ['app.lua', 'a Lua project'],
  ['build.zig', 'a Zig project'],
  ['app.R', 'an R project'],
  ['Project.toml', 'a Julia project'],
  ['index.php', 'a PHP project'],
  ['build.sbt', 'a Scala project'],
  ['project.clj', 'a Clojure project'],
  ['stack.yaml', 'a Haskell project'],
  ['dune-project', 'an OCaml project'],
  ['gleam.toml', 'a Gleam project'],
  ['shard.yml', 'a Crystal project'],
  // Of a language with a builder, its own file says so.
  ...SERVICE_LANGUAGES.flatMap(({ project, projectFiles, signs }) =>
    [...projectFiles, ...signs].map((name) => [name, project] as const),
  ),
]);
/** Ends of names that say the same. */
const ENDINGS: readonly (readonly [ending: RegExp, what: string])[] = [
  [/\.(?:csproj|fsproj|vbproj|sln|slnx)$/, 'a .NET project'],
  [/\.php$/, 'a PHP project'],
  [/\.cabal$/, 'a Haskell project'],
  [/\.rockspec$/, 'a Lua project'],
  [/\.nimble$/, 'a Nim project'],
];
const markOf = (name: string): string | undefined =>
  MARKS.get(name) ?? ENDINGS.find(([ending]) => ending.test(name))?.[1];

/** Whether a folder holds a project of a language other than JavaScript. */
export const holdsOtherLanguage = (repo: Snapshot, dir: string): boolean =>
  holdsEntry(repo.fs, dir, (name, kind) => kind === 'file' && markOf(name) !== undefined);

/** Programs and sites of other languages beside a target that is deployed, as a sentence; undefined where there are none. */
export function notDeployed(
  repo: Snapshot,
  paths: readonly string[],
  backend: TargetPlan | undefined,
  isUsed: (what: string) => boolean = () => false,
): string | undefined {
  const hasBackend = backend !== undefined;
  const runtime = backend && runtimeOf(backend).name;
  const folders = [...repo.fs.directories()].filter((dir) => depth(dir) <= 2 && pathScore('backend', dir) > -40);
  // A target of a subfolder is a project by itself; what lies in other subfolders is another's.
  const isNear = (dir: string) =>
    dir === '.' ||
    (!hasBackend && depth(dir) === 1 && pathScore('backend', dir) > 0) ||
    paths.some((path) => dir === path || dir.startsWith(`${path}/`) || path.startsWith(`${dir}/`));
  const found = otherLanguages(
    repo,
    folders.filter((dir) => paths.includes('.') || isNear(dir)),
  );
  const programs = found.filter((what) => !/ site /.test(what) && !isBuilt(what, runtime) && !isUsed(what));
  if (programs.length === 0) return undefined;
  const why = programs.some((what) => servedLanguage(what))
    ? `a deployment has one backend, and of ${TITLES.slice(0, -1).join(', ')} and ${TITLES.at(-1)} only services are built`
    : `${ONLY_BUILDERS[0]!.toLowerCase()}${ONLY_BUILDERS.slice(1)}`;
  return `${programs.join(', ')} ${programs.length === 1 ? 'was' : 'were'} found too and ${programs.length === 1 ? 'is' : 'are'} not deployed: ${why}.`;
}

const isBuilt = (what: string, runtime: RuntimeName | undefined): boolean =>
  runtime === 'docker' || (runtime !== undefined && servedLanguage(what)?.name === runtime);

/** Projects of other languages in these folders, as phrases: `a Go module (api/go.mod)`. */
export function otherLanguages(repo: Snapshot, folders: Iterable<string>): string[] {
  const found = new Map<string, string>();
  for (const dir of folders) {
    const generator = generatorAt(repo, dir);
    if (generator) {
      const what = `${/^[AEIOU]|^Md|^md|^Mk/.test(generator.name) ? 'an' : 'a'} ${generator.name} site`;
      if (!found.has(what)) found.set(what, `${what} (${generator.file})`);
    }
    for (const [name, kind] of repo.fs.list(dir)) {
      const what = kind === 'file' ? markOf(name) : undefined;
      if (what !== undefined && !found.has(what)) found.set(what, `${what} (${join(dir, name)})`);
    }
  }
  return [...found.values()];
}
