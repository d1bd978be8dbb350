import { join } from '../../../shared/repo/repoFs.ts';
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
  ['_config.yml', 'a Jekyll site'],
  ['hugo.toml', 'a Hugo site'],
  ['composer.json', 'a PHP project'],
  ['pom.xml', 'a Java project'],
  ['build.gradle', 'a Java project'],
  ['build.gradle.kts', 'a Kotlin project'],
  ['mix.exs', 'an Elixir project'],
  ['pubspec.yaml', 'a Dart project'],
  ['deno.json', 'a Deno project'],
  ['Package.swift', 'a Swift package'],
];

/** Projects of other languages in these folders, as phrases: `a Go module (api/go.mod)`. */
export function otherLanguages(repo: Snapshot, folders: Iterable<string>): string[] {
  const found = new Map<string, string>();
  for (const dir of folders)
    for (const [file, what] of MARKS)
      if (!found.has(what) && repo.has(join(dir, file))) found.set(what, `${what} (${join(dir, file)})`);
  return [...found.values()];
}
