import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VerenError } from '../../contract/errors.ts';
import { s3Keys } from '../../contract/names.ts';
import { MAX_LINK_BYTES, type UploadFile, type UploadManifest } from '../../contract/uploads.ts';
import type { S3Calls } from '../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../shared/adapters/aws/urlSigner.ts';
import type { Clock } from '../shared/ports.ts';
import { makeGitFolder, removeGitFolder } from '../shared/repo/gitFolder.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { collectOutput, killGroup, startGit, waitForClose } from '../shared/repo/runGit.ts';
import { FRESH_MS, readFolder } from '../shared/uploads/uploadStore.ts';

/** An uploaded folder as a git repository of one commit. */
export interface UploadPack {
  readonly commit: string;
  /** Where the pack is read, for some minutes. */
  readonly url: string;
}

/**
 * Makes the pack of a folder that a project has uploaded, or finds it. Equal folders have equal commits. Throws
 * UPLOAD_UNKNOWN, UPLOAD_INCOMPLETE where files are no longer kept, UPLOAD_DAMAGED, UPLOAD_TIMEOUT, UPLOAD_INVALID for
 * links that leave the folder.
 */
export type OpenUploadPack = (projectId: string, uploadId: string) => Promise<UploadPack>;

export interface PackDeps {
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly clock: Clock;
  readonly urlSigner: UrlSigner;
  readonly gitPolicy: GitPolicy;
  /** Folder for the temporary repository. @default - the system's */
  readonly workDir?: string | undefined;
  /** How long the packing may take (ms). @default - `PACK_MS` */
  readonly timeoutMs?: number | undefined;
}

/** With the reading of the repository that follows it is shorter than the lease of a job of queue `clone`. */
export const PACK_MS = 70_000;

const BRANCH = 'refs/heads/upload';
/** Contents in memory at once: so many files, or one that is larger. */
const BATCH_FILES = 64;
const BATCH_BYTES = 16 * 1024 * 1024;

export function uploadPacks(deps: PackDeps): OpenUploadPack {
  const { s3, bucket, clock, urlSigner, gitPolicy, workDir, timeoutMs = PACK_MS } = deps;
  const readManifest = readFolder(s3, bucket);

  async function findPack(Key: string): Promise<string | undefined> {
    const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      const { Metadata, LastModified } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      // One that may be removed before its build reads it is made anew.
      return clock.now() - (LastModified?.getTime() ?? 0) < FRESH_MS ? Metadata?.commit : undefined;
    } catch (e) {
      if (['NotFound', 'NoSuchKey'].includes((e as Error).name)) return undefined;
      throw e;
    }
  }

  async function readFile(projectId: string, file: UploadFile, abortSignal: AbortSignal): Promise<Buffer> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const command = new GetObjectCommand({ Bucket: bucket, Key: s3Keys.uploadedFile(projectId, file.sha256) });
    const { Body, ContentLength } = await s3.send(command, { abortSignal }).catch((e: Error) => {
      throw e.name === 'NoSuchKey' ? new VerenError('UPLOAD_INCOMPLETE', { lacking: 1 }, { cause: e }) : e;
    });
    // Before it is read: the batches in memory are made by the sizes that were announced.
    if ((ContentLength ?? file.size) !== file.size) throw damaged(file);
    const content = Buffer.from(await Body!.transformToByteArray());
    // The storage has checked it; an emulator or a fault of the storage must not end in a build of something else.
    if (createHash('sha256').update(content).digest('hex') !== file.sha256) throw damaged(file);
    return content;
  }

  async function makePack(projectId: string, Key: string, uploadId: string): Promise<string> {
    const manifest = await readManifest(projectId, uploadId);
    const stop = new AbortController();
    const timeout = new VerenError('UPLOAD_TIMEOUT', { seconds: timeoutMs / 1_000 });
    const folder = await makeGitFolder(gitPolicy, workDir);
    const args = ['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--done', '--depth=0'];
    const git = startGit(folder, args);
    const ended = waitForClose(git);
    git.stdout.resume();
    const said = collectOutput(git.stderr, () => killGroup(git));
    stop.signal.addEventListener('abort', () => killGroup(git), { once: true });
    const timer = setTimeout(() => stop.abort(timeout), timeoutMs);
    try {
      const read = (file: UploadFile) => orAbort(readFile(projectId, file, stop.signal), stop.signal);
      await pipeline(Readable.from(importStream(manifest, read)), git.stdin).catch((error: unknown) => {
        killGroup(git);
        // A closed pipe: what git says is the reason.
        if (error instanceof VerenError || (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
      });
      const code = await ended;
      stop.signal.throwIfAborted();
      if (code !== 0) throw new Error(`git fast-import ended with ${code}: ${said().slice(0, 500)}`);
      const commit = (await readRef(folder.path)).trim();
      const packs = join(folder.path, 'objects/pack');
      const name = (await readdir(packs)).find((file) => file.endsWith('.pack'));
      if (name === undefined) throw new Error('git fast-import has left no pack');
      const pack = join(packs, name);
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const put = { Bucket: bucket, Key, ContentLength: (await stat(pack)).size, Metadata: { commit } };
      const command = new PutObjectCommand({ ...put, Body: createReadStream(pack) });
      await orAbort(s3.send(command, { abortSignal: stop.signal }), stop.signal);
      return commit;
    } catch (error) {
      // However a call names that it was ended.
      stop.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      // Ends what is still being read.
      stop.abort(timeout);
      killGroup(git);
      await ended;
      await removeGitFolder(folder);
    }
  }

  return async (projectId, uploadId) => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const Key = s3Keys.uploadPack(projectId, uploadId);
    const commit = (await findPack(Key)) ?? (await makePack(projectId, Key, uploadId));
    return { commit, url: await urlSigner(new GetObjectCommand({ Bucket: bucket, Key })) };
  };
}

const readRef = (path: string) => readFile(join(path, BRANCH), 'utf8');

/** What git-fast-import(1) reads: every content once, then one commit without a time, so that it depends on the files alone. */
async function* importStream(
  { files }: UploadManifest,
  read: (file: UploadFile) => Promise<Buffer>,
): AsyncGenerator<Buffer> {
  const marks = new Map<string, number>();
  const uses = new Map<string, UploadFile[]>();
  for (const file of files) {
    const same = uses.get(file.sha256);
    if (same) same.push(file);
    else uses.set(file.sha256, [file]);
  }
  for (const all of uses.values()) checkSizes(all);
  for (const batch of batchesOf([...uses.values()].map(([file]) => file!))) {
    const loaded = await Promise.all(batch.map(read));
    for (const [i, content] of loaded.entries()) {
      const { sha256 } = batch[i]!;
      for (const { path, mode, size } of uses.get(sha256)!) {
        if (size !== content.length) throw damaged({ path });
        if (mode === '120000') checkLink(path, content.toString());
      }
      const mark = marks.size + 1;
      marks.set(sha256, mark);
      yield Buffer.from(`blob\nmark :${mark}\ndata ${content.length}\n`);
      yield content;
      yield Buffer.from('\n');
    }
  }
  yield Buffer.from(`commit ${BRANCH}\ncommitter Veren <> 0 +0000\ndata 0\n\n`);
  for (const { path, mode, sha256 } of files)
    yield Buffer.from(`M ${mode} :${marks.get(sha256)} "${path.replaceAll('"', '\\"')}"\n`);
  yield Buffer.from('\ndone\n');
}

const damaged = ({ path }: Pick<UploadFile, 'path'>) => new VerenError('UPLOAD_DAMAGED', { path });

/** Of the paths of one content, before it is read: lists that an earlier version has taken may say something else. */
function checkSizes(files: readonly UploadFile[]): void {
  for (const { path, mode, size } of files) {
    if (size !== files[0]!.size) throw damaged({ path });
    if (mode === '120000' && size > MAX_LINK_BYTES)
      throw new VerenError('UPLOAD_INVALID', { reason: `the link ${JSON.stringify(path)} is too long.` });
  }
}

/** What is waited for no longer than until the signal, whether or not it heeds it. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function* batchesOf(files: readonly UploadFile[]): Generator<UploadFile[]> {
  let batch: UploadFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (batch.length >= BATCH_FILES || bytes + file.size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.size;
  }
  if (batch.length > 0) yield batch;
}

/** A link points into the folder, read as text: what is at its end may be another link of the folder. */
function checkLink(path: string, target: string): void {
  let depth = path.split('/').length - 1;
  const isInside =
    !target.startsWith('/') &&
    target !== '' &&
    !/[\u0000-\u001f\\]/.test(target) &&
    target.split('/').every((name) => {
      if (name === '..') depth -= 1;
      else if (name !== '.' && name !== '') depth += 1;
      return depth >= 0;
    });
  if (!isInside)
    throw new VerenError('UPLOAD_INVALID', { reason: `the link ${JSON.stringify(path)} leaves the folder.` });
}
