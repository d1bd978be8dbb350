import { depth, join, type RepoFs } from '../../../../contract/repo-fs.ts';
import { MISE_FILES } from './miseFile.ts';
import { SERVICE_LANGUAGES } from './serviceLanguages.ts';

/** Files that make a folder a project of a language besides JavaScript. */
const MARKS = SERVICE_LANGUAGES.flatMap(({ projectFiles }) => projectFiles);
/** Read beside them. */
const SETTINGS = [...MARKS, '.tool-versions', ...MISE_FILES, 'Procfile'];
const MAX_DEPTH = 4;
const MAX_FOLDERS = 40;
/** Of one project so many sources are read, and of all together. */
const MAX_SOURCES = 24;
const MAX_ALL_SOURCES = 120;

/** Folders with such a project, shallow ones first. */
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
    for (const language of SERVICE_LANGUAGES) for (const file of language.settingsIn(fs, dir)) files.add(file);
  }
  const sources = new Set<string>();
  for (const dir of folders)
    for (const language of SERVICE_LANGUAGES)
      for (const file of language.sourcesIn(fs, dir).slice(0, MAX_SOURCES))
        if (sources.size < MAX_ALL_SOURCES) sources.add(file);
  return [...files, ...sources];
}
