import { join } from '../../../../contract/repo-fs.ts';
import { type ProgramConfig, readProgram } from './config/readProgram.ts';
import type { PackageJson } from './packageJson.ts';
import type { Snapshot } from './snapshot.ts';

/** One package as the rules see it. */
export interface Project {
  readonly repo: Snapshot;
  readonly dir: string;
  readonly pkg: PackageJson;
}

export const dependencyVersion = ({ pkg }: Project, name: string): string | undefined =>
  pkg.dependencies.get(name) ?? pkg.devDependencies.get(name);
export const scriptOf = ({ pkg }: Project, name: string): string => pkg.scripts.get(name) ?? '';
export const fileIn = (project: Project, name: string): boolean => project.repo.has(join(project.dir, name));

const EXTENSIONS = ['ts', 'js', 'mjs', 'mts', 'cjs', 'cts'];

/** The first `<base>.ts`, `.js`, … of the project: its path and its text without comments. */
export function configFile(project: Project, base: string): { file: string; code: string } | undefined {
  for (const extension of EXTENSIONS) {
    const file = join(project.dir, `${base}.${extension}`);
    const code = project.repo.code(file);
    if (code !== undefined) return { file, code };
  }
  return undefined;
}

const programs = new WeakMap<Snapshot, Map<string, ProgramConfig>>();

/** A configuration file by its path, read once. Undefined where it is absent or was not among the files read. */
export function readConfig(repo: Snapshot, file: string): ProgramConfig | undefined {
  const source = repo.text(file);
  if (source === undefined) return undefined;
  const known = programs.get(repo) ?? new Map<string, ProgramConfig>();
  programs.set(repo, known);
  const config = known.get(file) ?? readProgram(file, source);
  known.set(file, config);
  return config;
}

/** The first `<base>.ts`, `.js`, … of the project. */
export function projectConfig(project: Project, base: string): ProgramConfig | undefined {
  const file = EXTENSIONS.map((extension) => join(project.dir, `${base}.${extension}`)).find(
    (path) => project.repo.text(path) !== undefined,
  );
  return file === undefined ? undefined : readConfig(project.repo, file);
}
