import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { VerenError } from '../../../contract/errors.ts';
import { forEachParallel } from '../../../lambdas/shared/async.ts';
import { isOrdinaryName } from '../../../lambdas/shared/repo/listing.ts';
import { parseUrl } from '../../../lambdas/shared/repo/parseUrl.ts';
import { signalGroup } from '../processes.ts';
import { programPath, SYSTEM_PATH } from '../programs.ts';
import { checkedRequest } from './checked-request.ts';
import { type Checkout, type CheckoutContext, gitParts, settingsOf } from './context.ts';
import { BATCH, type Download, defaultServer, type Located, locate, type Stored } from './lfs-batch.ts';
import { type Pointer, readPointer } from './lfs-pointer.ts';

const MAX_FILES = 20_000;
/** Of all objects together. */
const MAX_BYTES = 2 * 1_024 * 1_024 * 1_024;
const AT_ONCE = 4;
/** Files of one object that are named in one command: the system bounds the length of all arguments to 2 MB. */
const PLACES = 200;

/** An object of the store, and the files that it belongs in, relative to the checkout. */
interface Wanted extends Pointer {
  readonly paths: string[];
}

const failed = (path: string, reason: string) =>
  new VerenError('LFS_FAILED', { path: path.replace(/[^\x20-\x7e]/g, '?').slice(0, 200), reason });

/**
 * Replaces the pointers of Git LFS by their files, in every checkout. The program `git lfs` is not needed, since its
 * protocol has only two requests. Size and hash of every object are checked before it replaces its pointer. Throws
 * LFS_FAILED, or the signal's reason.
 */
export async function fetchLargeFiles(context: CheckoutContext, checkouts: readonly Checkout[]): Promise<void> {
  const budget = { files: MAX_FILES, bytes: MAX_BYTES };
  for (const checkout of checkouts) {
    const wanted = await wantedIn(context, checkout, budget);
    if (wanted.length > 0) await fetchAll(context, checkouts[0]!, checkout, wanted);
  }
}

/** The pointers among the files that attributes give to Git LFS. */
async function wantedIn(
  context: CheckoutContext,
  { folder, name }: Checkout,
  budget: { files: number; bytes: number },
): Promise<Wanted[]> {
  const byOid = new Map<string, Wanted>();
  for (const path of await gitParts(context, folder, ['ls-files', '-z', '--', ':(attr:filter=lfs)'])) {
    if (!path.split('/').every(isOrdinaryName)) continue;
    const pointer = await readPointer(join(folder, path));
    if (pointer === null) continue;
    const known = byOid.get(pointer.oid);
    if (known && known.size !== pointer.size) throw failed(path, 'two pointers to one object say different sizes');
    if (!known) budget.bytes -= pointer.size;
    if (--budget.files < 0) throw failed(name, `Git LFS keeps more than ${MAX_FILES} files of it`);
    if (budget.bytes < 0) throw failed(name, 'the files of Git LFS are larger than 2 GiB together');
    if (known) known.paths.push(path);
    else byOid.set(pointer.oid, { ...pointer, paths: [path] });
  }
  return [...byOid.values()];
}

async function fetchAll(
  context: CheckoutContext,
  main: Checkout,
  checkout: Checkout,
  wanted: readonly Wanted[],
): Promise<void> {
  const local = localStore(checkout.url);
  const server = local ?? (await serverOf(context, checkout, wanted[0]!.paths[0]!));
  const bytes = wanted.reduce((sum, { size }) => sum + size, 0);
  context.say(`Fetching ${wanted.length} objects of Git LFS, ${bytes} bytes, from ${local ?? withoutQuery(server)}`);
  for (let i = 0; i < wanted.length; i += BATCH) {
    const batch = wanted.slice(i, i + BATCH);
    const located = local
      ? inStore(local, batch)
      : await told(context, batch[0]!.paths[0]!, () =>
          locate(
            server,
            batch.map(({ oid, size }) => ({ oid, size })),
            tokenFor(context, main, server),
            context,
          ),
        );
    await forEachParallel(batch, AT_ONCE, (object) => fetchObject(context, checkout, object, located.get(object.oid)));
  }
  await leaveOutOfStatus(
    context,
    checkout,
    wanted.flatMap(({ paths }) => paths),
  );
}

/** `lfs.url` of `.lfsconfig`, or the usual place beside the repository. */
async function serverOf(context: CheckoutContext, { folder, url }: Checkout, path: string): Promise<string> {
  const given = (await settingsOf(context, folder, '.lfsconfig')).get('lfs.url');
  const server = given ?? defaultServer(url);
  const named = parseUrl(server);
  if (!named) throw failed(path, 'lfs.url in .lfsconfig is no URL');
  const { username, password, href } = named;
  if (username !== '' || password !== '')
    throw failed(path, 'lfs.url in .lfsconfig holds a user name or password; use "gitToken" instead');
  return href;
}

/** For the log: a query may hold a key. */
const withoutQuery = (url: string) => url.replace(/[?#].*$/s, '');

/** Of a repository on this machine: where its own git-lfs keeps the objects. */
function localStore(url: string): string | null {
  if (!url.startsWith('file:///')) return null;
  const folder = fileURLToPath(url);
  return join(existsSync(join(folder, '.git')) ? join(folder, '.git') : folder, 'lfs/objects');
}

const inStore = (store: string, objects: readonly Pointer[]): ReadonlyMap<string, Located> =>
  new Map(objects.map(({ oid }) => [oid, { file: join(store, oid.slice(0, 2), oid.slice(2, 4), oid) }]));

/** The token is sent only to the origin of the repository that was deployed. */
function tokenFor({ raw }: CheckoutContext, main: Checkout, server: string): string | undefined {
  return parseUrl(main.url)?.origin === new URL(server).origin ? raw.GIT_TOKEN : undefined;
}

async function fetchObject(
  context: CheckoutContext,
  checkout: Checkout,
  object: Wanted,
  located: Located | undefined,
): Promise<void> {
  const path = object.paths[0]!;
  if (located === undefined) throw failed(path, 'its LFS server does not say where it is');
  if ('error' in located) throw failed(path, located.error);
  const temporary = join(context.work, 'tmp', `lfs-${object.oid}`);
  await told(context, path, () => download(context, object, located, temporary));
  // The pointer is overwritten, not replaced, so that it keeps its rights.
  const place = 'from=$1; shift; for to; do cp -f -- "$from" "$to" || exit; done';
  const places = object.paths.map((p) => `./${p}`);
  for (let i = 0; i < places.length; i += PLACES)
    await runAsUser(context, checkout.folder, ['sh', '-c', place, 'sh', temporary, ...places.slice(i, i + PLACES)]);
  await runAsUser(context, join(context.work, 'tmp'), ['sh', '-c', 'rm -f -- "$1"', 'sh', temporary]);
}

/** Downloads into a file that the build user writes; size and hash are checked on the way. */
async function download(
  context: CheckoutContext,
  { oid, size }: Pointer,
  from: Download | Stored,
  to: string,
): Promise<void> {
  const answer = 'file' in from ? await openStored(from.file) : await get(context, from);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted() {
    for await (const chunk of answer) {
      bytes += (chunk as Buffer).length;
      if (bytes > size) throw new Error('its store sends more than the pointer says');
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
    if (bytes !== size) throw new Error('its store sends less than the pointer says');
    if (hash.digest('hex') !== oid) throw new Error('its store sends something else than the pointer says');
  }
  await runAsUser(context, join(context.work, 'tmp'), ['sh', '-c', 'cat >"$1"', 'sh', to], counted());
}

async function get(context: CheckoutContext, { href, headers }: Download): Promise<Readable> {
  const answer = await checkedRequest({ ...context, method: 'GET', url: href, headers });
  if (answer.statusCode === 200) return answer;
  answer.destroy();
  throw new Error(`its store answers ${answer.statusCode}`);
}

async function openStored(file: string): Promise<Readable> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (opened && (await opened.stat()).isFile()) return opened.createReadStream();
  await opened?.close();
  throw new Error('it is not in the .git/lfs of the repository on this machine (`git lfs fetch` brings it there)');
}

/** Updates git's index, since git would show the files as changed and `git describe --dirty` would add `-dirty`. */
async function leaveOutOfStatus(
  context: CheckoutContext,
  { folder }: Checkout,
  paths: readonly string[],
): Promise<void> {
  async function* names() {
    for (const path of paths) yield Buffer.from(`${path}\0`);
  }
  const options = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
  const argv = ['git', ...options, 'update-index', '-z', '--assume-unchanged', '--stdin'] as const;
  await runAsUser(context, folder, argv, names());
}

/** Runs a program of the system as the build's user, with this on its standard input. Throws where it fails. */
async function runAsUser(
  { sandbox, signal }: CheckoutContext,
  cwd: string,
  [name, ...args]: readonly ['sh' | 'git', ...string[]],
  input?: AsyncIterable<Buffer>,
): Promise<void> {
  signal.throwIfAborted();
  const program = sandbox.start({
    argv: [programPath(name), ...args],
    cwd,
    env: { PATH: SYSTEM_PATH, HOME: '/nonexistent', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1' },
    hasInput: input !== undefined,
    signal,
  });
  program.stdout.resume();
  program.stderr.resume();
  try {
    if (input && program.input) {
      for await (const chunk of input)
        if (!program.input.write(chunk)) await Promise.race([once(program.input, 'drain'), program.ended]);
      program.input.end();
    }
    const { exitCode } = await program.ended;
    signal.throwIfAborted();
    if (exitCode !== 0) throw new Error(`${name} ended with exit code ${exitCode}`);
  } catch (error) {
    if (program.pid !== undefined) signalGroup(program.pid, 'SIGKILL');
    await program.ended;
    throw error;
  }
}

/** Turns any exception into a sentence about the file. */
async function told<T>({ signal }: CheckoutContext, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof VerenError && error.code !== 'GIT_HOST_FORBIDDEN' && error.code !== 'REPO_NOT_FOUND')
      throw error;
    throw failed(
      path,
      error instanceof VerenError ? String(error.details.reason ?? 'there is no such host') : (error as Error).message,
    );
  }
}
