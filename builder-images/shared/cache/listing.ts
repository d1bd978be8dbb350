import { type BigIntStats, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Files and folders as they were at one moment. A build may add to the folders; a file that it changes, replaces, moves
 * or removes has another inode or another change time, which only root can set back.
 */
export interface FileListing {
  /** Folders and files that were asked for and are there, relative to the work folder as all paths are. */
  readonly roots: readonly string[];
  /** Every path at or below them, folders before their content. */
  readonly paths: readonly string[];
  /** For each path the values that change when something else takes its place. */
  readonly identities: readonly string[];
  /** Latest change time among them (ns). */
  readonly newest: bigint;
}

/** The most paths: listing more would cost a build more time than the cache saves. */
const MAX_PATHS = 400_000;
const BEFORE_A_BREAK = 2_000;

/**
 * A folder changes when something is added to it, so only its inode, owner and rights count; its content is listed by
 * itself. Null for sockets, pipes and devices, which no cache holds.
 */
function identityOf(info: BigIntStats): string | null {
  const who = `${info.dev}:${info.ino}:${info.mode}:${info.uid}:${info.gid}`;
  if (info.isDirectory()) return who;
  if (!info.isFile() && !info.isSymbolicLink()) return null;
  return `${who}:${info.size}:${info.mtimeNs}:${info.ctimeNs}`;
}

const statOf = (path: string) => lstatSync(path, { bigint: true, throwIfNoEntry: false });

/** True where every folder on the way to a path is a folder: a link would lead out of the tree that was asked for. */
function isReachedByFolders(work: string, path: string): boolean {
  const parts = path.split('/');
  return parts.slice(0, -1).every((_, i) => statOf(join(work, ...parts.slice(0, i + 1)))?.isDirectory() === true);
}

/**
 * Lists everything at and below `roots` except the paths in `without`. Throws where there is more than a cache can
 * hold, or something that no cache may hold. It reads names and attributes only, and opens no file of the build user.
 */
export async function listTree(
  work: string,
  roots: readonly string[],
  without: ReadonlySet<string> = new Set(),
): Promise<FileListing> {
  const there: string[] = [];
  const paths: string[] = [];
  const identities: string[] = [];
  let newest = 0n;
  /** False where nothing is there. */
  const addEntry = (path: string, pending: string[]): boolean => {
    const info = statOf(join(work, path));
    if (!info) return false;
    const is = identityOf(info);
    if (is === null) throw new Error(`${path} is neither file, folder nor link`);
    if (paths.length >= MAX_PATHS) throw new Error(`more than ${MAX_PATHS} files`);
    paths.push(path);
    identities.push(is);
    if (info.ctimeNs > newest) newest = info.ctimeNs;
    if (info.isDirectory()) pending.push(path);
    return true;
  };
  for (const root of roots) {
    const pending: string[] = [];
    if (!isReachedByFolders(work, root) || !addEntry(root, pending)) continue;
    there.push(root);
    for (let folder = pending.pop(), rest = BEFORE_A_BREAK; folder !== undefined; folder = pending.pop()) {
      for (const name of readdirSync(join(work, folder))) {
        const path = `${folder}/${name}`;
        // The name is not UTF-8, or somebody is changing the folder: a cache without this path would be incomplete.
        if (!without.has(path) && !addEntry(path, pending)) throw new Error(`${path} cannot be looked at`);
        rest--;
      }
      if (rest > 0) continue;
      rest = BEFORE_A_BREAK;
      await new Promise(setImmediate); // lets log lines be handled
    }
  }
  return { roots: there, paths, identities, newest };
}

/** The first path that has changed since it was listed; null where none has. */
export async function changedPath(work: string, { paths, identities }: FileListing): Promise<string | null> {
  for (let i = 0; i < paths.length; i++) {
    const info = statOf(join(work, paths[i]!));
    if (!info || identityOf(info) !== identities[i]) return paths[i]!;
    if (i % BEFORE_A_BREAK === BEFORE_A_BREAK - 1) await new Promise(setImmediate);
  }
  return null;
}

const SETTLE_MS = 200;

/**
 * Waits until the file system's clock, which ticks in milliseconds, has passed every listed change time, so that later
 * writes have another one. False where that does not happen, because the clock was set back, for example.
 */
export async function waitForClock(work: string, listing: FileListing): Promise<boolean> {
  const marker = join(work, 'control/clock');
  for (const end = performance.now() + SETTLE_MS; ; await sleep(2)) {
    writeFileSync(marker, '');
    if (lstatSync(marker, { bigint: true }).ctimeNs > listing.newest) return true;
    if (performance.now() > end) return false;
  }
}
