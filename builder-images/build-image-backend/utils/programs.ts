import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { VerenError } from '../../../contract/errors.ts';
import { programPath } from '../../shared/programs.ts';
import { NODE_UID } from './context.ts';

/** What is called as root once the user's steps are over, and comes from the last base image then. */
const ofTheBase = (): string[] => [
  '/usr/bin/env',
  ...(['sh', 'tar', 'rm', 'prlimit', 'setpriv'] as const).map(programPath),
];
const MAX_LINKS = 40;

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * The first name on the way to a file, links included, that somebody else than root owns or may write; null where there is
 * none. Absent files are nobody's: they cannot be run.
 */
export async function foreignOnTheWay(file: string, links = 0): Promise<string | null> {
  let path = '/';
  const names = resolve(file).split('/').filter(Boolean);
  for (const [i, name] of ['', ...names].entries()) {
    path = join(path, name);
    const info = await lstat(path).catch(() => null);
    if (info === null) return null;
    if (info.uid !== 0) return path;
    if (info.isSymbolicLink()) {
      if (links === MAX_LINKS) return path;
      const target = resolve(dirname(path), await readlink(path));
      return foreignOnTheWay(join(target, ...names.slice(i)), links + 1);
    }
    // A step has no other group than its own; Debian's `staff` has no members.
    if ((info.mode & 0o002) !== 0 || ((info.mode & 0o020) !== 0 && info.gid === NODE_UID)) return path;
  }
  return null;
}

/**
 * The builder's own programs as they were before a container builder ran the user's steps beside them. What runs as root
 * afterwards, with credentials, runs only if they still are the same bytes, and if what comes from the base image is root's.
 */
export class Programs {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #path: string;
  /** Looked up before, by the very paths that are started later: where an image build has ended early they may be missing. */
  readonly #ofTheBase = ofTheBase();

  private constructor(hashes: ReadonlyMap<string, string>, path: string) {
    this.#hashes = hashes;
    this.#path = path;
  }

  /** @param path `PATH` of what is started later: nobody but root may write in any of its folders. */
  static async remember(files: readonly string[], path: string): Promise<Programs> {
    const hashes = new Map<string, string>();
    for (const file of files) hashes.set(file, await sha256(file));
    return new Programs(hashes, path);
  }

  /** Of owners and rights alone, for what comes from the base image. Throws `VerenError('IMAGE_BUILD_FAILED')`. */
  async checkPlaces(): Promise<void> {
    const folders = this.#path.split(':').filter((folder) => folder.startsWith('/'));
    for (const file of [...this.#hashes.keys(), ...this.#ofTheBase, ...folders]) {
      const foreign = await foreignOnTheWay(file);
      if (foreign !== null) throw changedFault(foreign);
    }
  }

  /** Of everything. Ask when nothing of the user's is alive. Throws `VerenError('IMAGE_BUILD_FAILED')`. */
  async check(): Promise<void> {
    await this.checkPlaces();
    for (const [file, before] of this.#hashes)
      if ((await sha256(file).catch(() => null)) !== before) throw changedFault(file);
  }
}

const changedFault = (file: string) =>
  new VerenError('IMAGE_BUILD_FAILED', { reason: `${file} was changed during the build, so nothing is published` });
