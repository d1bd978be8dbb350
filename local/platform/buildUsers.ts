import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface BuildUser {
  readonly uid: number;
  readonly gid: number;
}

/** The users that run code from repositories. */
export interface BuildUsers {
  /** A user for the next build, which no other running build has. Null where builds run as the platform's user. */
  next(): BuildUser | null;
  /** User of the service with this number, which no build has. Null where services run as the platform does. */
  ofService(number: number): BuildUser | null;
  owns(uid: number): boolean;
  /** All of their numbers; null where there are none. */
  readonly range: { readonly first: number; readonly last: number } | null;
  /** A warning at the start about what a repository could reach. Undefined where builds have users of their own. */
  readonly warning: string | undefined;
}

/** Number of uids that one data folder has: those of builds, which use theirs in turn, and of services. */
const PER_FOLDER = 1_024;
export const MAX_SERVICE_USERS = 512;
const BUILD_USERS = PER_FOLDER - MAX_SERVICE_USERS;
/**
 * Uids that no system gives to people, services or containers: above those of systemd's containers, below 2^31. In a
 * container with few numbers (a user namespace): above those of a distribution's own users.
 * Source: https://systemd.io/UIDS-GIDS/
 */
const RANGES = [
  { first: 1_900_000_000, folders: 240_000 },
  { first: 20_000, folders: 40 },
] as const;

/** True where the id is mapped in this user namespace. Source: user_namespaces(7), uid_map. */
function isMapped(kind: 'uid' | 'gid', id: number): boolean {
  return readFileSync(`/proc/self/${kind}_map`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([first, , count]) => id >= first! && id < first! + count!);
}

/** The first folder on the way to a path that others may not enter; undefined where there is none. */
export function closedFolder(path: string): string | undefined {
  const way = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    way.unshift(at);
    if (at === dirname(at)) break;
  }
  return way.find((folder) => existsSync(folder) && (statSync(folder).mode & 0o001) === 0);
}

function reasonAgainst(dataDir: string, node: string): string | undefined {
  if (process.platform !== 'linux') return 'only Linux can give a build a user of its own';
  if (process.getuid?.() !== 0) return 'only root can give a build a user of its own';
  const missing = ['setpriv', 'prlimit'].filter(
    (name) => !['/usr/bin', '/bin'].some((f) => existsSync(`${f}/${name}`)),
  );
  if (missing.length > 0) return `${missing.join(' and ')} of util-linux is not installed`;
  const closed = closedFolder(dataDir) ?? closedFolder(node);
  return closed && `another user could not enter ${closed}; choose a data folder elsewhere with --data`;
}

const runAsPlatform = (reason: string): BuildUsers => ({
  next: () => null,
  ofService: () => null,
  owns: () => false,
  range: null,
  warning:
    `Builds run as ${process.getuid?.() === 0 ? 'root' : 'you'}, so a repository can read your files, and Veren's token and keys ` +
    `(${reason}). Deploy only what you would run yourself.`,
});

/** @param node The Node that builds may use: they must be able to reach it. */
export function chooseBuildUsers(dataDir: string, node = process.execPath): BuildUsers {
  const reason = reasonAgainst(dataDir, node);
  if (reason !== undefined) return runAsPlatform(reason);
  const hash = createHash('sha256').update(resolve(dataDir)).digest().readUInt32BE(0);
  const bases = RANGES.map(({ first, folders }) => first + (hash % folders) * PER_FOLDER);
  const lastUid = (base: number) => base + PER_FOLDER - 1;
  const base = bases.find((b) => [b, lastUid(b)].every((id) => isMapped('uid', id) && isMapped('gid', id)));
  if (base === undefined) return runAsPlatform('this container has no user numbers for builds');
  let count = 0;
  return {
    next: () => {
      const id = base + (count++ % BUILD_USERS);
      return { uid: id, gid: id };
    },
    ofService: (number) => {
      const id = base + BUILD_USERS + number;
      return { uid: id, gid: id };
    },
    owns: (uid) => uid >= base && uid <= lastUid(base),
    range: { first: base, last: lastUid(base) },
    warning: undefined,
  };
}
