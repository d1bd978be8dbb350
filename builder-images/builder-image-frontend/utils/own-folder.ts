import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

export interface PackageFolders {
  /** The repository, as an absolute path. */
  readonly source: string;
  /** Folders of it that are installed and built in, relative to it. */
  readonly packages: readonly string[];
}

/** Two names of one folder have the same: links, other spellings on a disk that does not tell capitals apart. */
async function identity(path: string): Promise<string | null> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info?.isDirectory() ? `${info.dev}:${info.ino}` : null;
}

/** Whoever has one of these copied beside the pages (`cp -r . dist`) has copied the sources. */
const MANIFEST_NAMES = ['package.json', 'deno.json', 'composer.json', 'pyproject.toml', 'Cargo.toml', 'Gemfile'];

async function holdsManifest(folder: string): Promise<boolean> {
  for (const name of MANIFEST_NAMES)
    if (
      await lstat(join(folder, name)).then(
        (info) => !info.isDirectory(),
        () => false,
      )
    )
      return true;
  return false;
}

/**
 * Is the output folder one that sources lie in: the repository, a package that was installed or built, a folder that holds
 * one of them, or the copy of a package? By what it is, not by how it is spelled.
 */
export async function isSourceFolder(output: string, { source, packages }: PackageFolders): Promise<boolean> {
  const wanted = await identity(output);
  if (wanted === null) return false;
  const root = await realpath(source);
  const asked = packages.map((path) => resolve(root, path));
  // A folder has two rows of folders above it where its name is a link.
  const real = await Promise.all(asked.map((path) => realpath(path).catch(() => path)));
  for (const path of [...asked, ...real])
    for (let folder = path; folder.startsWith(root); folder = dirname(folder)) {
      if ((await identity(folder)) === wanted) return true;
      if (folder === root) break;
    }
  return holdsManifest(output);
}
