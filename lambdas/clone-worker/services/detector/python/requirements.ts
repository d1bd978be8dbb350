import { join } from '../../../../../contract/repo-fs.ts';
import { resolvePath } from '../repoPath.ts';
import type { Snapshot } from '../snapshot.ts';
import { readToml } from '../tomlText.ts';
import { valueAt } from '../toolVersion.ts';

/** What installs a project's packages. */
export type Installer = 'requirements' | 'uv' | 'poetry' | 'pipenv' | 'none';

export interface Requirements {
  readonly installer: Installer;
  /** The file that says so; absent where there is none. */
  readonly file?: string;
  readonly isLocked: boolean;
  /** Names as PyPI compares them: small letters, `-` between the words. */
  readonly names: ReadonlySet<string>;
  /** Extras by package: `fastapi` → `standard`. */
  readonly extras: ReadonlyMap<string, string>;
}

const MAX_LINES = 5_000;
const MAX_FILES = 10;
const normalise = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-');

/** What a folder installs; undefined where nothing in it belongs to Python's package managers. */
export function requirementsOf(repo: Snapshot, dir: string): Requirements | undefined {
  const names = new Set<string>();
  const extras = new Map<string, string>();
  const add = (requirement: unknown) => {
    if (typeof requirement !== 'string') return;
    const found = /^\s{0,9}([a-z0-9][a-z0-9._-]{0,99})\s{0,9}(?:\[([^\]]{0,200})\])?/i.exec(requirement.slice(0, 400));
    if (!found) return;
    names.add(normalise(found[1]!));
    if (found[2]) extras.set(normalise(found[1]!), found[2].toLowerCase());
  };
  const list = join(dir, 'requirements.txt');
  const project = join(dir, 'pyproject.toml');
  const pipfile = join(dir, 'Pipfile');
  for (const requirement of requirementLines(repo, list)) add(requirement);
  const toml = readToml(repo.text(project) ?? '');
  const declared = valueAt(toml, 'project', 'dependencies');
  if (Array.isArray(declared)) for (const requirement of declared) add(requirement);
  const poetry = valueAt(toml, 'tool', 'poetry', 'dependencies');
  const pipenv = valueAt(readToml(repo.text(pipfile) ?? ''), 'packages');
  for (const table of [poetry, pipenv])
    if (typeof table === 'object' && table !== null)
      for (const [name, value] of Object.entries(table)) {
        const wanted = valueAt(value, 'extras');
        add(Array.isArray(wanted) ? `${name}[${wanted.join(',')}]` : name);
      }
  const has = (name: string) => repo.has(join(dir, name));
  const found = (installer: Installer, file: string, isLocked: boolean): Requirements => ({
    installer,
    file,
    isLocked,
    names,
    extras,
  });
  if (has('uv.lock') && has('pyproject.toml')) return found('uv', join(dir, 'uv.lock'), true);
  if (has('poetry.lock') && has('pyproject.toml')) return found('poetry', join(dir, 'poetry.lock'), true);
  if (has('requirements.txt')) return found('requirements', list, false);
  if (has('Pipfile')) return found('pipenv', pipfile, has('Pipfile.lock'));
  if (has('pyproject.toml') && poetry !== undefined) return found('poetry', project, false);
  if (has('pyproject.toml') && valueAt(toml, 'project') !== undefined) return found('uv', project, false);
  return has('manage.py') ? { installer: 'none', isLocked: false, names, extras } : undefined;
}

/** Requirements of a list and of those that it names with `-r`. Source: pip's documentation, "Requirements File Format". */
function requirementLines(repo: Snapshot, first: string): string[] {
  const found: string[] = [];
  const files = [first];
  for (let i = 0; i < files.length && i < MAX_FILES; i++) {
    const file = files[i]!;
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.';
    for (const line of (repo.text(file) ?? '').split(/\r?\n/, MAX_LINES)) {
      const named = /^\s{0,9}(?:-r|--requirement)[\s=]{1,9}([\w./-]{1,200})/.exec(line)?.[1];
      const path = named === undefined ? undefined : resolvePath(folder, named);
      if (path !== undefined && !files.includes(path)) files.push(path);
      if (!/^\s{0,9}(?:[-#]|$)/.test(line)) found.push(line);
    }
  }
  return found;
}

/** The command that installs them into the environment that the builder has made, and `more` beside them. */
export function pipInstall(requirements: Requirements, more: readonly string[]): string | null {
  const beside = more.length > 0 ? ` && pip install ${more.join(' ')}` : '';
  switch (requirements.installer) {
    case 'requirements':
      return ['pip install -r requirements.txt', ...more].join(' ');
    case 'uv':
      // Inexact: what is there already, uv itself among it, stays.
      return `pip install uv && uv sync ${requirements.isLocked ? '--frozen ' : ''}--no-dev --inexact${beside}`;
    case 'poetry':
      return `pip install poetry && poetry install --only main --no-root${beside}`;
    case 'pipenv':
      return `pip install pipenv && pipenv install ${requirements.isLocked ? '--deploy' : '--skip-lock'}${beside}`;
    case 'none':
      return more.length > 0 ? `pip install ${more.join(' ')}` : null;
  }
}
