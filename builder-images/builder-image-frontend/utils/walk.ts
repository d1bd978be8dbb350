import { lstatSync, type Stats } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { isDependencies, isNeverPublished, isPackageManifest, isPrivateSource } from './private-names.ts';

export interface OutputFile {
  /** Relative to the output folder, `/` as separator. */
  readonly path: string;
  /** Where to read it; a regular file at the time of the walk. */
  readonly source: string;
  readonly size: number;
  /** Of the bytes that were scanned for secrets; what is published must have the same. */
  readonly sha256?: string;
}

export interface WalkOptions {
  /** The folder to publish. */
  readonly root: string;
  /** The folder as the user named it, for messages. */
  readonly name: string;
  /** The repository: the output folder must be inside of it. */
  readonly inside: string;
  /**
   * What lies in it beside pages. `output`: nothing, a build wrote it. `folder`: sources that are published as they are, so
   * dot files and dependencies are left out. `package`: a package's own folder, so manifests and lockfiles are left out too.
   */
  readonly holds: 'output' | 'folder' | 'package';
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** Where the build had a user of its own: files of anybody else (hard links) are rejected. */
  readonly ownerUid: number | undefined;
  readonly onSkipped?: (path: string) => unknown;
  readonly signal: AbortSignal;
}

/** S3 takes keys of up to 1,024 bytes; the longest prefix of ours and a variant's suffix go off. */
const MAX_PATH_BYTES = 850;

/**
 * Names that are looked at for every file that may be published: folders, and what is left out. Two links to a folder with
 * two links each, and so on, are more folders than there is time, and need not hold one file.
 */
const NAMES_PER_FILE = 4;

const rejectOutput = (reason: string) => new VerenError('OUTPUT_REJECTED', { reason });

function checkName(path: string): void {
  if (/[\u0000-\u001f\u007f]/.test(path))
    throw rejectOutput(`${JSON.stringify(path)} has a control character in its name`);
  if (path.includes('\ufffd')) throw rejectOutput(`${JSON.stringify(path)} has a name that is not UTF-8`);
  if (path.includes('\\')) throw rejectOutput(`${JSON.stringify(path)} has a backslash in its name`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw rejectOutput(`the path ${path.slice(0, 80)}… is too long`);
}

/**
 * Lists what is to be published, sorted by path. Symbolic links are followed inside the output folder only.
 * Throws `VerenError`: OUTPUT_MISSING, OUTPUT_EMPTY, OUTPUT_REJECTED, OUTPUT_TOO_LARGE.
 */
export async function walkOutput(options: WalkOptions): Promise<OutputFile[]> {
  const root = await outputRoot(options);
  const files: OutputFile[] = [];
  let bytes = 0;
  let seen = 0;
  const maxNames = options.maxFiles * NAMES_PER_FILE;

  const namesIn = async (folder: string): Promise<string[]> => {
    options.signal.throwIfAborted();
    const names: string[] = [];
    for await (const { name } of await opendir(folder, { bufferSize: 1_024 })) {
      names.push(name);
      if (++seen > maxNames)
        throw new VerenError('OUTPUT_TOO_LARGE', { reason: `more than ${maxNames} names of files and folders` });
    }
    return names.sort();
  };

  const addFile = (path: string, source: string, info: Stats) => {
    if (options.ownerUid !== undefined && info.uid !== options.ownerUid)
      throw rejectOutput(`${path} does not belong to the build (a hard link?)`);
    files.push({ path, source, size: info.size });
    bytes += info.size;
    if (files.length > options.maxFiles)
      throw new VerenError('OUTPUT_TOO_LARGE', { reason: `more than ${options.maxFiles} files` });
    if (bytes > options.maxBytes)
      throw new VerenError('OUTPUT_TOO_LARGE', { reason: `more than ${options.maxBytes} bytes` });
  };

  const isPrivate = (name: string): boolean =>
    isNeverPublished(name) ||
    (options.holds !== 'output' && isPrivateSource(name)) ||
    (options.holds === 'package' && isPackageManifest(name));
  /** Names on the way from the output folder to where a link in it leads. */
  const namesOnTheWay = (real: string) => (real === root ? [] : real.slice(root.length + 1).split(sep));

  const visitFolder = async (folder: string, prefix: string, ancestors: readonly string[]): Promise<void> => {
    const names = await namesIn(folder);
    // A bundler may write a folder of that name (fonts of packages); beside a manifest it is what was installed.
    const installed = names.includes('package.json');
    for (const name of names) {
      const path = prefix + name;
      if (isPrivate(name) || (installed && isDependencies(name))) {
        options.onSkipped?.(path);
        continue;
      }
      checkName(path);
      const source = join(folder, name);
      let info = lstatSync(source); // a few microseconds; a trip to the thread pool takes ten times as long
      let real = source;
      if (info.isSymbolicLink()) {
        real = await targetOf(source, path, root);
        const way = namesOnTheWay(real);
        if (way.some(isNeverPublished)) throw rejectOutput(`${path} is a link to something that is never published`);
        if (way.some(isPrivate)) {
          options.onSkipped?.(path);
          continue;
        }
        info = await stat(real);
      }
      if (info.isDirectory()) {
        if (ancestors.includes(real)) throw rejectOutput(`${path} is a link to a folder that it is in`);
        await visitFolder(real, `${path}/`, [...ancestors, real]);
      } else if (info.isFile()) addFile(path, real, info);
      else throw rejectOutput(`${path} is neither a file nor a folder`);
    }
  };
  await visitFolder(root, '', [root]);
  if (files.length === 0) throw new VerenError('OUTPUT_EMPTY', { path: options.name });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function outputRoot(options: WalkOptions): Promise<string> {
  const missing = new VerenError('OUTPUT_MISSING', { path: options.name });
  const [root, inside] = await Promise.all([options.root, options.inside].map((p) => realpath(p).catch(() => null)));
  if (!root || !inside) throw missing;
  if (root !== inside && !root.startsWith(inside + sep))
    throw rejectOutput(`the output folder "${options.name}" is a link out of the repository`);
  if (basename(root) === '.git' || root.startsWith(join(inside, '.git') + sep))
    throw rejectOutput('the output folder is the repository’s history');
  if (!(await stat(root)).isDirectory()) throw missing;
  return root;
}

/** Where a link leads, with every link on the way followed. */
async function targetOf(link: string, path: string, root: string): Promise<string> {
  const real = await realpath(link).catch(() => null);
  if (real === null) throw rejectOutput(`${path} is a link to nothing`);
  if (real !== root && !real.startsWith(root + sep)) throw rejectOutput(`${path} is a link out of the output folder`);
  return real;
}
