import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { programPath, SYSTEM_PATH } from '../programs.ts';
import type { Sandbox } from '../sandbox.ts';
import { changedPath, type FileListing } from './listing.ts';

/**
 * Archives are made and unpacked by `tar` as the build user, never as root: a malicious archive can only change the
 * work folder, which the build may change anyway. They are not compressed: most content is compressed already, the
 * bucket is in the same region, and processor time is dearer for a build than network time.
 */
const ENV = { PATH: SYSTEM_PATH, LC_ALL: 'C' };

function startTar(sandbox: Sandbox, argv: readonly [string, ...string[]], signal: AbortSignal) {
  const { input, stdout, stderr, ...running } = sandbox.start({ argv, cwd: '/', env: ENV, hasInput: true, signal });
  stderr.resume();
  const ended = running.ended.then(({ exitCode }) => {
    signal.throwIfAborted();
    if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
  });
  ended.catch(() => undefined); // the caller awaits it and gets the error
  return { child: { stdin: input!, stdout }, ended };
}

/** Passes bytes through and gives their number and SHA-256 at the end. More than `limit` is an error. */
function createMeter(limit: number) {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      if (size > limit) return done(new Error('the archive is too large'));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ size, sha256: hash.digest('hex') }) };
}

const CREATE = ['--create', '--file=-'];
const FROM_INPUT = ['--no-recursion', '--null', '--files-from=-'];

/**
 * Packs the listed paths below a folder into a file. Throws where a path has changed since it was listed, before or
 * after it was read, so that the archive holds exactly what was listed.
 */
export async function packFolder(
  sandbox: Sandbox,
  folder: string,
  listing: FileListing,
  file: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ size: number; sha256: string }> {
  const checkUnchanged = async () => {
    const changed = await changedPath(folder, listing);
    if (changed !== null) throw new Error(`${changed} was changed since`);
  };
  await checkUnchanged();
  const argv: [string, ...string[]] = [programPath('tar'), ...CREATE, '-C', folder, ...FROM_INPUT];
  const { child, ended } = startTar(sandbox, argv, signal);
  const measured = createMeter(limit);
  await Promise.all([
    pipeline(Readable.from(listing.paths.map((path) => `${path}\0`)), child.stdin),
    pipeline(child.stdout, measured.stream, createWriteStream(file)),
    ended,
  ]);
  await checkUnchanged();
  return measured.result();
}

const UNPACK = 'mkdir -p "$1" && exec tar --extract --file=- -C "$1"';
const MOVE = `from=$1 to=$2; shift 2
for path; do
  rm -rf "$to/$path"; mkdir -p "$(dirname "$to/$path")"; mv "$from/$path" "$to/$path"
done`;

/** Moves paths from one folder to another and replaces existing ones. Cheap, since both are in one file system. */
export async function moveInto(
  sandbox: Sandbox,
  from: string,
  to: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { child, ended } = startTar(sandbox, [programPath('sh'), '-ec', MOVE, 'sh', from, to, ...paths], signal);
  child.stdin.end();
  child.stdout.resume();
  await ended;
}

/**
 * Unpacks into a new folder. Throws where the bytes are not those that were saved; the caller must then drop the
 * folder.
 */
export async function unpackArchive(
  sandbox: Sandbox,
  archive: Readable,
  folder: string,
  expected: { readonly size: number; readonly sha256: string },
  signal: AbortSignal,
): Promise<void> {
  const { child, ended } = startTar(sandbox, [programPath('sh'), '-c', UNPACK, 'sh', folder], signal);
  child.stdout.resume();
  const measured = createMeter(expected.size);
  await Promise.all([pipeline(archive, measured.stream, child.stdin), ended]);
  const { size, sha256 } = measured.result();
  if (size !== expected.size || sha256 !== expected.sha256) throw new Error('the archive is damaged');
}
