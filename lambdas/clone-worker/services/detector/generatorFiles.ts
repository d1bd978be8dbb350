import { join, type RepoFs } from '../../../../contract/repo-fs.ts';
import { holdsEntry, namesWhere } from './listedNames.ts';
import { MISE_FILES } from './miseFile.ts';
import { REQUIREMENTS_FILES } from './mkdocsRequirements.ts';

/** Configurations by whose name alone a folder belongs to a generator. */
const OWN_NAMES = /^(?:hugo\.(?:toml|ya?ml|json)|mkdocs\.ya?ml|zola\.toml|_config\.(?:ya?ml|toml))$/;
/** Configurations of Hugo and Zola that other programs have too, and the folders that tell. */
const SHARED_NAMES = /^config\.(?:toml|ya?ml|json)$/;
const FOLDERS = ['content', 'layouts', 'themes', 'templates', 'archetypes'];
const HUGO_SECTIONS = /^(?:hugo|config|module)\.(?:toml|ya?ml|json)$/;
const WORKFLOWS = '.github/workflows';
const MAX_WORKFLOWS = 30;

/** Folders that hold the configuration of a site generator that is no JavaScript. */
export function generatorFolders(fs: RepoFs): string[] {
  return [...fs.directories()].filter((dir) => {
    const entries = fs.list(dir);
    const isFile = (pattern: RegExp) => holdsEntry(fs, dir, (name, kind) => kind === 'file' && pattern.test(name));
    if (isFile(OWN_NAMES)) return true;
    if (isFile(SHARED_NAMES) && FOLDERS.some((name) => entries.has(name))) return true;
    return (
      entries.get('config') === 'directory' &&
      holdsEntry(fs, join(dir, 'config/_default'), (name) => HUGO_SECTIONS.test(name))
    );
  });
}

/** What is read of a generator's folder besides the files that are read of every folder. */
export function generatorFiles(fs: RepoFs, folders: readonly string[]): string[] {
  const below = folders.flatMap((dir) => [
    ...REQUIREMENTS_FILES.map((name) => join(dir, name)),
    ...['config/_default', 'config/production'].flatMap((folder) =>
      namesWhere(fs, join(dir, folder), (name) => HUGO_SECTIONS.test(name)).map((name) =>
        join(join(dir, folder), name),
      ),
    ),
    ...MISE_FILES.map((name) => join(dir, name)),
  ]);
  const workflows = namesWhere(fs, WORKFLOWS, (name) => /\.ya?ml$/.test(name))
    .sort()
    .slice(0, MAX_WORKFLOWS)
    .map((name) => join(WORKFLOWS, name));
  return (folders.length === 0 ? [] : [...below, ...workflows]).filter((path) => fs.kind(path) === 'file');
}
