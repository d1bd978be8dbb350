import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileListing, listTree, waitForClock } from '../../../shared/cache/listing.ts';
import { storeFolder, toolFolders } from './folders.ts';
import { gitLines, type Inputs, type InputsOptions } from './inputs.ts';

/** What an install command left behind, as it was when it had ended: the only thing that a later build may start from. */
export interface Installed {
  /** node_modules folders, and what install scripts have put into HOME. Null where they cannot stand in for the install. */
  readonly state: FileListing | null;
  /** The package manager's downloads. */
  readonly store: FileListing | null;
}

export interface InstalledOptions extends Pick<InputsOptions, 'source' | 'sandbox' | 'env' | 'packageManager'> {
  readonly work: string;
  /** FRONTENDPATH. */
  readonly path: string;
  readonly inputs: Inputs;
}

const NODE_MODULES = /(?:^|\/)node_modules\/$/;

/** Lists what is there, before any command of the build's runs. */
export async function listInstalled(o: InstalledOptions): Promise<Installed> {
  const listRoots = async (roots: readonly string[], without?: ReadonlySet<string>) => {
    const listing = await listTree(o.work, roots, without);
    return listing.paths.length > 0 && (await waitForClock(o.work, listing)) ? listing : null;
  };
  const roots = o.inputs.install === null ? null : await stateRoots(o);
  const state = roots && (await listRoots(roots, toolFolders(o.path)).catch(() => null));
  return {
    // A folder that is named and cannot be found has a name that is no UTF-8.
    state: state?.roots.length === roots?.length ? state : null,
    store: o.inputs.store === null ? null : await listRoots([storeFolder(o.packageManager)]).catch(() => null),
  };
}

/** Null where the install has changed anything but node_modules folders: then it cannot be stood in for by them. */
async function stateRoots(o: InstalledOptions): Promise<string[] | null> {
  const status = ['status', '--porcelain', '-z', '--ignored=traditional', '--untracked-files=normal'];
  const paths = (await gitLines(o, status)).map((line) => line.slice(3));
  const isKnown = (path: string) => NODE_MODULES.test(path) && !path.split('/').includes('..');
  if (paths.length === 0 || !paths.every(isKnown)) return null;
  const home = (await readdir(join(o.work, 'home'))).map((name) => join('home', name));
  return [...paths.map((path) => join('source', path.slice(0, -1))), ...home];
}
