import { join } from '../../../shared/repo/repoFs.ts';
import type { PackageJson } from './packageJson.ts';
import type { Snapshot } from './snapshot.ts';

/** One package as the rules see it. */
export interface Project {
  readonly repo: Snapshot;
  readonly dir: string;
  readonly pkg: PackageJson;
}

export const dependency = ({ pkg }: Project, name: string): string | undefined =>
  pkg.dependencies.get(name) ?? pkg.devDependencies.get(name);
export const script = ({ pkg }: Project, name: string): string => pkg.scripts.get(name) ?? '';
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
