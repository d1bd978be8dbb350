import { accessSync, constants, statSync } from 'node:fs';
import { VerenError } from '../../contract/errors.ts';

/** Every program that the builder itself starts. Commands of the repository are looked up as the build user. */
export type ProgramName = 'sh' | 'git' | 'tar' | 'rm' | 'prlimit' | 'setpriv';

/** Folders of the system, which no build can write. The last two are where macOS and NixOS have git. */
const FOLDERS = [
  '/usr/bin',
  '/bin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/run/current-system/sw/bin',
];

/** The only PATH that programs of the builder's own are given: git and tar look for their helpers there. */
export const SYSTEM_PATH = FOLDERS.join(':');

const found = new Map<ProgramName, string>();

/** As root, only what root alone can change may be started. */
function isTrusted(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    if (process.getuid?.() !== 0) return true;
    const { uid, mode } = statSync(file);
    return uid === 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** The absolute path of a program, found once, in folders of the system only. Throws `VerenError('BUILDER_MISCONFIGURED')`. */
export function programPath(name: ProgramName): string {
  const known = found.get(name);
  if (known !== undefined) return known;
  const path = FOLDERS.map((folder) => `${folder}/${name}`).find(isTrusted);
  if (path === undefined)
    throw new VerenError('BUILDER_MISCONFIGURED', { reason: `the program ${name} is missing from the image` });
  found.set(name, path);
  return path;
}
