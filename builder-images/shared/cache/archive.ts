import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { programPath, SYSTEM_PATH } from '../programs.ts';
import type { Sandbox } from '../sandbox.ts';
import { changedPath, type FileListing } from './listing.ts';

/**
 * Archives are made and unpacked by `tar` as the user that the build runs as, never as root: whatever a poisoned archive
 * tries, it can only do in the work folder, to a build that could do it anyway. No compression: most of it is compressed
 * already or read from a store in the same region, and a core costs the build more than the line.
 */
const ENV = { PATH: SYSTEM_PATH, LC_ALL: 'C' };

function startTar(sandbox: Sandbox, argv: readonly [string, ...string[]], signal: AbortSignal) {
  const { input, stdout, stderr, ...running } = sandbox.start({ argv, cwd: '/', env: ENV, hasInput: true, signal });
  stderr.resume();
  const ended = running.ended.then(({ exitCode }) => {
    signal.throwIfAborted();
    if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
  });
  ended.catch(() => undefined); // whoever awaits it hears of it
  return { child: { stdin: input!, stdout }, ended };
}

/** Passes bytes on; knows their number and SHA-256 at the end. More than `limit` is an error. */
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
 * Packs what was listed below a folder into a file. Throws where anything is not what it was then, before or after it was
 * read: what is packed is what was listed.
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

/** Moves paths from one folder to another, over what is there. Within one file system, so it costs next to nothing. */
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

/** Unpacks into a new folder. Throws where the bytes are not those that were saved; what is there then must be dropped. */
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
