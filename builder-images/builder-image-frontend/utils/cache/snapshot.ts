import type { BigIntStats } from 'node:fs';
import { lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitLines, type InputsOptions } from './inputs.ts';

/** What an install command left behind, when it had ended: the state that a later build may start from. */
export interface Installed {
  /** Relative to the work folder: the node_modules folders, and what install scripts have put into HOME. */
  readonly roots: readonly string[];
  /** When it had ended, by the file system's clock (ns): what was born later is the build's. */
  readonly at: bigint;
}

const NODE_MODULES = /(?:^|\/)node_modules\/$/;

/** Null where the install has changed anything but node_modules folders: then it cannot be stood in for by them. */
export async function installedState(
  o: Pick<InputsOptions, 'source' | 'sandbox'> & { readonly work: string },
): Promise<Installed | null> {
  const changed = await gitLines(o, [
    'status',
    '--porcelain',
    '-z',
    '--ignored=traditional',
    '--untracked-files=normal',
  ]);
  const paths = changed.map((line) => line.slice(3));
  if (paths.length === 0 || !paths.every((path) => NODE_MODULES.test(path))) return null;
  const home = (await readdir(join(o.work, 'home'))).map((name) => join('home', name));
  const marker = join(o.work, 'control/installed');
  await writeFile(marker, '');
  const { ctimeNs: at } = await lstat(marker, { bigint: true });
  return { roots: [...paths.map((path) => join('source', path.slice(0, -1))), ...home], at };
}

/**
 * The paths of an installed state, folders and files one by one, without what the build added to them since, and without
 * `others`: folders with a cache of their own. Null where the build has changed or removed something: then the state is lost.
 */
export async function snapshotPaths(
  work: string,
  installed: Installed,
  others: readonly string[],
): Promise<string[] | null> {
  const { at } = installed;
  const paths: string[] = [];

  /** Lists what is old below a folder. False: something old has changed. */
  const visit = async (folder: string, info: BigIntStats): Promise<boolean> => {
    paths.push(folder);
    let added = false;
    for (const name of await readdir(join(work, folder))) {
      const path = join(folder, name);
      const child = await lstat(join(work, path), { bigint: true });
      if (child.birthtimeNs === 0n) return false; // a file system that does not know
      if (child.birthtimeNs > at || others.includes(path)) {
        added = true;
        continue;
      }
      if (child.isDirectory()) {
        if (!(await visit(path, child))) return false;
      } else {
        if (child.ctimeNs > at) return false;
        paths.push(path);
      }
    }
    // A folder changes when something is added to it, and when something is removed.
    return info.mtimeNs <= at || added;
  };
  for (const root of installed.roots) {
    const info = await lstat(join(work, root), { bigint: true }).catch(() => null);
    if (!info || info.birthtimeNs === 0n || info.birthtimeNs > at) return null;
    if (!info.isDirectory()) paths.push(root);
    else if (!(await visit(root, info))) return null;
  }
  return paths;
}
