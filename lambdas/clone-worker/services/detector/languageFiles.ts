import { depth, join, type RepoFs } from '../../../../contract/repo-fs.ts';
import { MISE_FILES } from './miseFile.ts';

/** Files that make a folder a project of Python's or Go's. */
const MARKS = ['requirements.txt', 'pyproject.toml', 'Pipfile', 'manage.py', 'go.mod'];
/** Read beside them. */
const SETTINGS = [...MARKS, '.python-version', 'runtime.txt', 'go.work', '.tool-versions', ...MISE_FILES, 'Procfile'];
const MAX_DEPTH = 4;
const MAX_FOLDERS = 40;
/** Of one project so many sources are read, and of all together. */
const MAX_SOURCES = 24;
const MAX_ALL_SOURCES = 120;

/** Folders with a project of Python's or Go's, shallow ones first. */
export function languageFolders(fs: RepoFs): string[] {
  const found: string[] = [];
  for (const dir of fs.directories())
    if (depth(dir) <= MAX_DEPTH && MARKS.some((name) => fs.list(dir).get(name) === 'file')) found.push(dir);
  return found.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1)).slice(0, MAX_FOLDERS);
}

/** What decides how these projects are built: settings, and the sources in which an application or a program begins. */
export function languageFiles(fs: RepoFs, extra: readonly string[]): string[] {
  const files = new Set<string>();
  const folders = [...new Set([...extra, ...languageFolders(fs)])];
  for (const dir of folders) {
    for (const name of SETTINGS) if (fs.kind(join(dir, name)) === 'file') files.add(join(dir, name));
    for (const [name, kind] of fs.list(join(dir, 'requirements')))
      if (kind === 'file' && /\.(?:txt|in)$/.test(name)) files.add(join(dir, `requirements/${name}`));
    for (const [name, kind] of fs.list(dir))
      if (kind === 'file' && /^requirements[\w.-]{0,40}\.txt$/.test(name)) files.add(join(dir, name));
  }
  const sources = new Set<string>();
  for (const dir of folders)
    for (const file of sourcesOf(fs, dir)) if (sources.size < MAX_ALL_SOURCES) sources.add(file);
  return [...files, ...sources];
}

const TELLING = /^(?:main|app|api|server|application|asgi|wsgi|run|__init__|settings|manage)\.py$/;

function sourcesOf(fs: RepoFs, dir: string): string[] {
  const below = (at: string) =>
    [...fs.list(at)]
      .filter(([name, kind]) => kind === 'directory' && /^[a-z_][\w-]{0,60}$/i.test(name))
      .map(([name]) => join(at, name));
  const named = (at: string, pattern: RegExp) =>
    [...fs.list(at)].filter(([name, kind]) => kind === 'file' && pattern.test(name)).map(([name]) => join(at, name));
  const folders = [...below(dir), ...below(join(dir, 'src')), ...below(join(dir, 'cmd'))];
  return [
    ...named(dir, TELLING),
    ...named(dir, /^main\.go$/),
    ...named(join(dir, 'cmd'), /\.go$/),
    ...folders.flatMap((folder) =>
      named(folder, /^(?:(?:main|app|api|server|application|asgi|wsgi|settings|__init__)\.py|main\.go)$/),
    ),
    ...named(dir, /^(?!.*_test\.)[\w-]{1,60}\.(?:py|go)$/),
    ...below(join(dir, 'cmd')).flatMap((folder) => named(folder, /^(?!.*_test\.)[\w-]{1,60}\.go$/)),
  ].slice(0, MAX_SOURCES);
}
