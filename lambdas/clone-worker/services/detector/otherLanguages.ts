import { depth, join } from '../../../shared/repo/repoFs.ts';
import { generatorAt } from './generators.ts';
import { pathScore } from './score.ts';
import type { Snapshot } from './snapshot.ts';

/** Marks of what no builder exists for: only to say so instead of "nothing found". */
const MARKS: readonly (readonly [file: string, what: string])[] = [
  ['requirements.txt', 'a Python project'],
  ['pyproject.toml', 'a Python project'],
  ['Pipfile', 'a Python project'],
  ['manage.py', 'a Python project'],
  ['go.mod', 'a Go module'],
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
];

/** Programs and sites of other languages beside a target that is deployed, as a sentence; undefined where there are none. */
export function notDeployed(repo: Snapshot, paths: readonly string[]): string | undefined {
  const folders = [...repo.fs.directories()].filter((dir) => depth(dir) <= 2 && pathScore('backend', dir) > -40);
  // A target of a subfolder is a project by itself; what lies in other subfolders is another's.
  const near = (dir: string) =>
    dir === '.' || paths.some((path) => dir === path || dir.startsWith(`${path}/`) || path.startsWith(`${dir}/`));
  const found = otherLanguages(
    repo,
    folders.filter((dir) => paths.includes('.') || near(dir)),
  );
  const programs = found.filter((what) => !/ site /.test(what));
  if (programs.length === 0) return undefined;
  return `${programs.join(', ')} ${programs.length === 1 ? 'was' : 'were'} found too and ${programs.length === 1 ? 'is' : 'are'} not deployed: there are builders for Node and static pages only.`;
}

/** Projects of other languages in these folders, as phrases: `a Go module (api/go.mod)`. */
export function otherLanguages(repo: Snapshot, folders: Iterable<string>): string[] {
  const found = new Map<string, string>();
  for (const dir of folders) {
    const generator = generatorAt(repo, dir);
    if (generator) {
      const what = `${/^[AEIOU]|^Md|^md|^Mk/.test(generator.name) ? 'an' : 'a'} ${generator.name} site`;
      if (!found.has(what)) found.set(what, `${what} (${generator.file})`);
    }
    for (const [file, what] of MARKS)
      if (!found.has(what) && repo.has(join(dir, file))) found.set(what, `${what} (${join(dir, file)})`);
  }
  return [...found.values()];
}
