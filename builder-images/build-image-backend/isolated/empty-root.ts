import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Places of mounts below `/`. Source: proc(5), mountinfo, field 5; blanks are written as octal numbers. */
export const mountsIn = (mountinfo: string): string[] =>
  mountinfo.split('\n').flatMap((line) => {
    const place = line.split(' ')[4];
    return place === undefined
      ? []
      : [place.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)))];
  });

/**
 * Removes the builder's own file system, all but what is kept and what is mounted: Kaniko unpacks the first base image over
 * what is there, and steps of the user's would find a Node and a git that their image does not have. What runs already has
 * its libraries in memory; what is started afterwards must be static.
 */
export function emptyRoot(keep: readonly string[], root = '/', mounts = readMounts()): void {
  const kept = [...keep, ...mounts].map((path) => join(path, '/')).filter((path) => path !== '/');
  const clear = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (kept.includes(`${path}/`)) continue;
      if (kept.some((other) => other.startsWith(`${path}/`))) clear(path);
      else rmSync(path, { recursive: true, force: true });
    }
  };
  clear(root);
}

const readMounts = () => mountsIn(readFileSync('/proc/self/mountinfo', 'utf8'));
