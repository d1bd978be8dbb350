import { depth, join, parent, type RepoFs } from '../../../../contract/repo-fs.ts';
import { SETTINGS_FILE } from '../../../../contract/settings-file.ts';
import { holdsFrameworkFiles, isDocumentationSettings, isFrameworkFile } from './frameworkFiles.ts';
import { generatorFiles, generatorFolders } from './generatorFiles.ts';
import { languageFiles, languageFolders } from './languageFiles.ts';
import { MISE_FILES } from './miseFile.ts';

/** Files whose contents decide something, wherever they lie. Lockfiles that say nothing by their content are left out. */
const NAMES: ReadonlySet<string> = new Set([
  'package.json',
  'pnpm-workspace.yaml',
  'lerna.json',
  'nx.json',
  'project.json',
  'turbo.json',
  'turbo.jsonc',
  '.nvmrc',
  '.node-version',
  '.tool-versions',
  ...MISE_FILES.filter((name) => !name.includes('/')),
  '.yarnrc.yml',
  'pnpm-lock.yaml',
  'yarn.lock',
  'Procfile',
  SETTINGS_FILE,
  'app.json',
  'config.toml',
  'config.yaml',
  'hugo.toml',
  'hugo.yaml',
  'hugo.yml',
  'hugo.json',
  'zola.toml',
  'mkdocs.yml',
  'mkdocs.yaml',
  'Gemfile',
  'Gemfile.lock',
  '.ruby-version',
  'netlify.toml',
  'vercel.json',
  '.readthedocs.yaml',
  '.readthedocs.yml',
  'pyproject.toml',
  'config.yml',
  'config.json',
  '_config.yml',
  '_config.yaml',
  '_config.toml',
  'template.yaml',
  'template.yml',
  'wrangler.toml',
  'wrangler.json',
  'wrangler.jsonc',
]);
/** Pages that are looked at for signs of a template: those of the first levels. */
const MAX_PAGES = 100;
const MAX_PAGE_DEPTH = 4;

/** Bounds of one batch: files, and folders that may hold a package. */
export const MAX_MANIFESTS = 2_000;
export const MAX_PACKAGES = 500;

/** Folders that hold a manifest of a package, a generator's configuration or a page, shallow ones first. */
export const packageFolders = (fs: RepoFs): string[] => allPackageFolders(fs).slice(0, MAX_PACKAGES);

/** How many there are, beyond the bound too. */
export const countPackageFolders = (fs: RepoFs): number => allPackageFolders(fs).length;

function allPackageFolders(fs: RepoFs): string[] {
  const found = [...new Set([...languageFolders(fs), ...generatorFolders(fs)])];
  const known = new Set(found);
  for (const dir of fs.directories()) {
    if (known.has(dir)) continue;
    const entries = fs.list(dir);
    // A link in the place of a manifest is not followed, but the user is told of it.
    const manifest = ['package.json', 'project.json', 'index.html'].some((name) => {
      const kind = entries.get(name);
      return kind === 'file' || (kind === 'symlink' && name === 'package.json');
    });
    if (manifest) found.push(dir);
  }
  return found.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

/** Attribute files, which may name Git LFS. */
function attributeFiles(fs: RepoFs): string[] {
  const found: string[] = [];
  for (const dir of fs.directories())
    if (found.length < MAX_PAGES && fs.kind(join(dir, '.gitattributes')) === 'file')
      found.push(join(dir, '.gitattributes'));
  return found;
}

/** Folders with a documentation's settings (`.vitepress`), which need no package of their own. */
function documentedFolders(fs: RepoFs): string[] {
  const found: string[] = [];
  for (const dir of fs.directories())
    if (isDocumentationSettings(dir.slice(dir.lastIndexOf('/') + 1)) && depth(dir) <= 5 && found.length < 50)
      found.push(parent(dir) ?? '.');
  return found;
}

/** Which contents detection may ask for, so that they are read in one batch. `extra`: folders named in the request. */
export function manifestPaths(fs: RepoFs, extra: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const dir of [...extra, ...packageFolders(fs)])
    for (let at: string | null = dir; at !== null && !folders.has(at); at = parent(at)) folders.add(at);
  folders.add('.');
  for (const dir of documentedFolders(fs)) folders.add(dir);
  const paths = attributeFiles(fs);
  let pages = 0;
  for (const dir of folders) {
    for (const [name, kind] of fs.list(dir)) {
      const path = join(dir, name);
      if (name === 'index.html' && kind === 'file' && depth(dir) <= MAX_PAGE_DEPTH && pages < MAX_PAGES) {
        pages += 1;
        paths.push(path);
      }
      if (kind === 'file' && (NAMES.has(name) || isFrameworkFile(name))) paths.push(path);
      if (kind === 'directory' && holdsFrameworkFiles(name))
        for (const [inner] of fs.list(path)) if (isFrameworkFile(`${name}/${inner}`)) paths.push(join(path, inner));
    }
  }
  for (const dir of folders)
    for (const name of MISE_FILES)
      if (name.includes('/') && fs.kind(join(dir, name)) === 'file') paths.push(join(dir, name));
  const generators = generatorFiles(fs, [...extra, ...generatorFolders(fs)]);
  return [...new Set([...paths, ...generators, ...languageFiles(fs, extra)])]
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    .slice(0, MAX_MANIFESTS);
}
