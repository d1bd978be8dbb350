import { VerenError } from '../../../contract/errors.ts';
import { contentOf } from './entryTree.ts';
import { type FetchInput, fetchCommit, fetchObjects } from './fetchCommit.ts';
import { makeGitFolder, removeGitFolder } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { type ObjectReader, openObjectReader } from './objectReader.ts';
import type { FileContent, RepoFs } from './repoFs.ts';
import type { RunLimits } from './runGit.ts';
import type { Session } from './session.ts';
import { walkTree } from './walkTree.ts';

export interface OpenRepoInput extends FetchInput {
  /** Where the temporary repository is made. Default: the system's folder for temporary files. */
  readonly workDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GitRepo {
  /** Full id of the commit that was read. */
  readonly commit: string;
  /** See `FetchedCommit`. */
  readonly isDefaultBranch: boolean;
  readonly fs: RepoFs;
}

/**
 * Opens a repository at one commit, gives it to `use`, and removes everything again. Two requests of objects are made:
 * the commit with its trees, and then, at the first `read`, the contents that are wanted, all at once.
 * Throws what `fetchCommit` throws; GIT_MISSING where there is no git.
 */
export async function withGitRepo<T>(input: OpenRepoInput, use: (repo: GitRepo) => Promise<T>): Promise<T> {
  const { policy } = input;
  const deadline = AbortSignal.timeout(policy.timeoutMs);
  const limits: RunLimits = { deadline, signal: input.signal, maxPackBytes: policy.maxBytes };
  const folder = await makeGitFolder(policy, input.workDir);
  let reader: ObjectReader | undefined;
  let session: Session | null = null;
  try {
    const fetched = await fetchCommit(folder, input, limits);
    session = fetched.session;
    // The reader may not fetch by itself: no transport is allowed to it.
    reader = openObjectReader(
      { path: folder.path, env: { ...folder.env, GIT_ALLOW_PROTOCOL: '' } },
      stopSignal(limits),
    );
    const commit = await peel(reader, fetched.object);
    if (!commit) throw new VerenError('REF_NOT_FOUND', { url: input.gitUrl, ref: input.ref ?? 'HEAD' });
    const { tree, blobs, notes } = await walkTree(reader, commit.tree, policy);
    const objects = reader;
    const fs: RepoFs = {
      notes,
      kind: (path) => tree.kind(path),
      list: (dir) => tree.list(dir),
      directories: () => tree.directories(),
      async read(paths, maxBytes) {
        const wanted = paths.flatMap((path) => {
          const oid = blobs.get(path);
          return oid === undefined ? [] : [{ path, oid }];
        });
        const found = await readBlobs(objects, wanted, maxBytes);
        const missing = wanted.filter(({ path }) => !found.has(path));
        if (missing.length > 0) {
          await fetchObjects(fetched, [...new Set(missing.map(({ oid }) => oid))], limits);
          for (const [path, content] of await readBlobs(objects, missing, maxBytes)) found.set(path, content);
        }
        return found;
      },
    };
    return await use({ commit: commit.oid, isDefaultBranch: fetched.isDefaultBranch, fs });
  } catch (error) {
    throw translated(error, limits, policy);
  } finally {
    reader?.close();
    session?.close();
    await removeGitFolder(folder);
  }
}

async function readBlobs(
  reader: ObjectReader,
  wanted: readonly { path: string; oid: string }[],
  maxBytes: number,
): Promise<Map<string, FileContent>> {
  const objects = await reader.read(
    wanted.map(({ oid }) => oid),
    maxBytes,
  );
  const found = new Map<string, FileContent>();
  objects.forEach((object, i) => {
    if (object) found.set(wanted[i]!.path, contentOf(object.bytes, object.size, maxBytes));
  });
  return found;
}

/** Follows an annotated tag to its commit. Null where it points at something else. */
async function peel(reader: ObjectReader, object: string): Promise<{ oid: string; tree: string } | null> {
  const [commit] = await reader.read([`${object}^{commit}`], 1024 * 1024);
  const tree = commit && /^tree ([0-9a-f]+)$/m.exec(commit.bytes.toString('latin1'))?.[1];
  return commit && tree ? { oid: commit.oid, tree } : null;
}

const stopSignal = (limits: RunLimits): AbortSignal =>
  limits.signal ? AbortSignal.any([limits.deadline, limits.signal]) : limits.deadline;

function translated(error: unknown, limits: RunLimits, policy: GitPolicy): unknown {
  if (error instanceof VerenError) return error;
  if (
    (error as NodeJS.ErrnoException).code === 'ENOENT' &&
    (error as NodeJS.ErrnoException).syscall?.startsWith('spawn')
  )
    return new VerenError('GIT_MISSING', {}, { cause: error });
  if (limits.deadline.aborted)
    return new VerenError('GIT_TIMEOUT', { seconds: Math.round(policy.timeoutMs / 1000) }, { cause: error });
  return error;
}
