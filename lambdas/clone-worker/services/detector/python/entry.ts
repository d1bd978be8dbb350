import { join, parent } from '../../../../../contract/repo-fs.ts';
import { filesNamed, namesWhere } from '../listedNames.ts';
import type { Snapshot } from '../snapshot.ts';
import type { PythonFramework } from './frameworks.ts';

/** The application object of a project, as a server takes it. */
export interface PythonEntry {
  readonly file: string;
  /** `app.main:app`, or `app:create_app` for a factory. */
  readonly object: string;
  readonly isFactory: boolean;
  /** Folder, relative to the project, that imports start from. */
  readonly importsFrom: string;
  readonly rule: string;
}

/** Names of files in which applications are made, the usual ones first. */
const NAMES = ['main', 'app', 'api', 'server', 'application', 'asgi', 'wsgi', 'run', '__init__'];
const MAX_SOURCE = 64 * 1024;

/** Sources of a folder and of those below it that were read, in the order in which they are asked. */
function sourcesOf(repo: Snapshot, dir: string): string[] {
  const folders = [dir];
  for (const at of [dir, join(dir, 'src')])
    for (const [name, kind] of repo.fs.list(at))
      if (kind === 'directory' && isPackageName(name)) folders.push(join(at, name));
  const files = folders.flatMap((folder) => filesNamed(repo.fs, folder, /\.py$/));
  const rank = (file: string) => {
    const at = NAMES.indexOf(file.slice(file.lastIndexOf('/') + 1, -3));
    return (at < 0 ? NAMES.length : at) + (parent(file) === dir ? 0 : 0.5);
  };
  return files
    .filter(
      (file) => repo.head(file) !== undefined && !/(?:^|\/)(?:test_[^/]*|[^/]*_test|conftest|setup)\.py$/.test(file),
    )
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const isPackageName = (name: string): boolean =>
  /^[a-z_]\w{0,60}$/i.test(name) &&
  !/^(?:tests?|docs?|examples?|migrations|node_modules|venv|scripts|build|dist)$/i.test(name);

const codeOf = (repo: Snapshot, file: string): string =>
  (repo.text(file) ?? repo.head(file) ?? '').slice(0, MAX_SOURCE);

/** Where a project makes its application; undefined where no file that was read does. */
export function findApplication(repo: Snapshot, dir: string, framework: PythonFramework): PythonEntry | undefined {
  const { application } = framework;
  if (application === undefined) return undefined;
  const sources = sourcesOf(repo, dir);
  const made = new RegExp(
    `^([a-z_]\\w{0,60})[ \\t]{0,9}(?::[ \\t]{0,9}[\\w.]{1,60}[ \\t]{0,9})?=[ \\t]{0,9}(?:[\\w.]{1,60}\\.)?(?:${application}|create_app|make_app|build_app|get_app|app_factory)\\(`,
    'im',
  );
  for (const file of sources) {
    const name = made.exec(codeOf(repo, file))?.[1];
    if (name !== undefined) return entryAt(repo, dir, file, name, false, `${application} object "${name}"`);
  }
  for (const file of sources) {
    const found = /^def (create_app|make_app|build_app|get_app|app_factory)\(([^)]{0,400})\)/m.exec(codeOf(repo, file));
    if (!found || !hasDefaults(found[2]!)) continue;
    return entryAt(repo, dir, file, found[1]!, true, `factory "${found[1]}"`);
  }
  return undefined;
}

/** A factory can be called without arguments. */
const hasDefaults = (parameters: string): boolean =>
  parameters
    .split(',')
    .map((parameter) => parameter.trim())
    .every((parameter) => parameter === '' || parameter.startsWith('*') || parameter.includes('='));

function entryAt(
  repo: Snapshot,
  dir: string,
  file: string,
  name: string,
  isFactory: boolean,
  rule: string,
): PythonEntry {
  const relative = dir === '.' ? file : file.slice(dir.length + 1);
  const folder = parent(relative) ?? '.';
  const importsFrom =
    folder !== '.' && importsSiblings(repo, dir, folder, codeOf(repo, file))
      ? folder
      : folder.startsWith('src/')
        ? 'src'
        : '.';
  const path = importsFrom === '.' ? relative : relative.slice(importsFrom.length + 1);
  const module = path
    .slice(0, -'.py'.length)
    .replace(/\/__init__$/, '')
    .replaceAll('/', '.');
  return { file, object: `${module}:${name}`, isFactory, importsFrom, rule };
}

/** Whether a file imports its neighbours by their bare names: then imports start in its folder, not in the project's. */
function importsSiblings(repo: Snapshot, dir: string, folder: string, code: string): boolean {
  if (
    folder.endsWith('src') &&
    !repo.has(join(dir, join(folder, '__init__.py'))) &&
    !/^(?:from|import) src\b/m.test(code)
  )
    return true;
  const entries = repo.fs.list(join(dir, folder));
  const names = [...code.matchAll(/^(?:from|import)[ \t]{1,9}(\w{1,60})/gm)].slice(0, 200).map(([, name]) => name!);
  return names.some(
    (name) =>
      (entries.get(`${name}.py`) === 'file' || entries.get(name) === 'directory') &&
      repo.fs.kind(join(dir, `${name}.py`)) === undefined &&
      repo.fs.kind(join(dir, name)) === undefined,
  );
}

/** A file that is run as a program and serves by itself. */
export function findProgram(repo: Snapshot, dir: string, serves: RegExp): string | undefined {
  return sourcesOf(repo, dir).find((file) => parent(file) === dir && serves.test(codeOf(repo, file)));
}

/** Django's module for servers: `proj.wsgi:application`, or of asgi.py where there is no other. */
export function findDjango(
  repo: Snapshot,
  dir: string,
): { file: string; object: string; settings?: string } | undefined {
  const manage = join(dir, 'manage.py');
  if (!repo.has(manage)) return undefined;
  const settings = /DJANGO_SETTINGS_MODULE["'][ \t]{0,9},[ \t\r\n]{0,40}["']([\w.]{1,200})["']/.exec(
    codeOf(repo, manage),
  )?.[1];
  const named = settings?.split('.')[0];
  const folders = namesWhere(repo.fs, dir, (name, kind) => kind === 'directory' && isPackageName(name));
  for (const folder of [...(named === undefined ? [] : [named]), ...folders])
    for (const kind of ['wsgi', 'asgi'])
      if (repo.has(join(dir, `${folder}/${kind}.py`)))
        return {
          file: join(dir, `${folder}/${kind}.py`),
          object: `${folder}.${kind}:application`,
          ...(settings && { settings: join(dir, `${settings.replaceAll('.', '/')}.py`) }),
        };
  return undefined;
}
