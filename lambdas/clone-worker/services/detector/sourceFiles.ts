import { join, type RepoFs } from '../../../../contract/repo-fs.ts';

/** Files of a folder whose names match. */
export const filesNamed = (fs: RepoFs, dir: string, pattern: RegExp): string[] =>
  [...fs.list(dir)].filter(([name, kind]) => kind === 'file' && pattern.test(name)).map(([name]) => join(dir, name));

/** Folders of a folder that can be packages of sources. */
export const foldersIn = (fs: RepoFs, dir: string): string[] =>
  [...fs.list(dir)]
    .filter(([name, kind]) => kind === 'directory' && /^[a-z_][\w-]{0,60}$/i.test(name))
    .map(([name]) => join(dir, name));
