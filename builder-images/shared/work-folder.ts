import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WorkFolderOptions {
  /** VEREN_WORKDIR: ours, the build user cannot write it. */
  readonly parent: string;
  readonly projectId: string;
  /** Id of its build, by which the folder is found and removed after the builder was killed. */
  readonly buildId: string;
  /** Owner of files that the build writes; null where it runs as the builder's own user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Folders of the build user. The work folder itself is ours, so none of them can be put in another's place. */
const OF_THE_BUILD = ['source', 'home', 'tmp', 'cache', 'tools'] as const;
/** File of the work folder with its build's id. */
export const BUILD_ID_FILE = 'control/build';
/** Name of a folder until it is complete. */
export const UNFINISHED = '.new-';

/**
 * Makes the folder of one build and returns its path. `control` belongs to the builder, `git` to the fetch, the rest to
 * the build. No other user may enter, since other builds run beside it and the repository may be private. A project's
 * builds get the same path where it is free: build tools put absolute paths into their caches.
 */
export function makeWorkFolder({ parent, projectId, buildId, owner }: WorkFolderOptions): string {
  mkdirSync(parent, { recursive: true });
  const staging = join(parent, `${UNFINISHED}${buildId}`);
  mkdirSync(staging, { mode: 0o700 });
  if (owner) {
    chownSync(staging, 0, owner.gid);
    chmodSync(staging, 0o750);
  }
  mkdirSync(join(staging, 'control'), { mode: 0o700 });
  writeFileSync(join(staging, BUILD_ID_FILE), buildId, { mode: 0o600, flag: 'wx' });
  for (const name of ['git', ...OF_THE_BUILD]) {
    mkdirSync(join(staging, name), { mode: name === 'git' ? 0o700 : 0o755 });
    if (owner) chownSync(join(staging, name), owner.uid, owner.gid);
  }
  const usual = join(parent, projectId);
  try {
    renameSync(staging, usual);
    return usual;
  } catch {
    // Another build of the project is there.
    const other = join(parent, `${projectId}.${randomBytes(4).toString('hex')}`);
    renameSync(staging, other);
    return other;
  }
}
