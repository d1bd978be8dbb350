import { VerenError } from '../../../contract/errors.ts';
import type { RepoFs } from '../../../contract/repo-fs.ts';
import { type CommitFetchInput, fetchCommit, fetchObjects } from './fetchCommit.ts';
import { lastWords } from './gitErrors.ts';
import { makeGitFolder, removeGitFolder } from './gitFolder.ts';
import { type ObjectReader, openObjectReader, ReaderError } from './objectReader.ts';
import { Pace } from './pace.ts';
import { readContents } from './readContents.ts';
import { receiveUpload, type UploadedPack } from './receiveUpload.ts';
import type { RunLimits } from './runGit.ts';
import type { Session } from './session.ts';
import { walkTree } from './walkTree.ts';

export interface OpenRepoInput extends CommitFetchInput {
  /** Read in place of `gitUrl` and `ref`: a folder that was uploaded. */
  readonly uploaded?: UploadedPack | undefined;
  /** Where the temporary repository is made. Default: the system's folder for temporary files. */
  readonly workDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GitRepo {
  /** Full id of the commit that was read. */
  readonly commit: string;
  /** Branch or tag that was read; both null for a commit, or where the host does not say. */
  readonly branch: string | null;
  readonly tag: string | null;
  /** Branch that the host's HEAD points at; null where it is not known: a commit was asked for, or the host does not say. */
  readonly defaultBranch: string | null;
  /** See `FetchedCommit`. */
  readonly isDefaultBranch: boolean;
  readonly fs: RepoFs;
  /** Id of the object at a path: equal ids are equal contents. Undefined for what is not listed. */
  readonly oid: (path: string) => string | undefined;
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
    const { uploaded } = input;
    if (uploaded) await receiveUpload(folder, uploaded, limits);
    const fetched = uploaded ? null : await fetchCommit(folder, input, limits);
    session = fetched?.session ?? null;
    // The reader gets no transport, so that it cannot fetch by itself.
    reader = openObjectReader({ ...folder, env: { ...folder.env, GIT_ALLOW_PROTOCOL: '' } }, stopSignal(limits));
    const commit = await peelCommit(reader, fetched?.object ?? uploaded!.commit);
    if (!commit) throw new VerenError('REF_NOT_FOUND', { url: input.gitUrl, ref: input.ref ?? 'HEAD' });
    const stopped = stopSignal(limits);
    const { tree, oid, notes } = await walkTree(reader, commit.tree, policy, new Pace(stopped));
    const objects = reader;
    const fs: RepoFs = {
      notes,
      kind: (path) => tree.kind(path),
      list: (dir) => tree.list(dir),
      directories: () => tree.directories(),
      async read(paths, maxBytes) {
        const wanted = paths.flatMap((path) => {
          const blob = tree.kind(path) === 'file' ? oid(path) : undefined;
          return blob === undefined ? [] : [{ path, oid: blob }];
        });
        const { found, missing } = await readContents(objects, wanted, maxBytes);
        if (missing.length === 0 || !fetched) return found;
        await fetchObjects(fetched, [...new Set(missing.map((file) => file.oid))], limits);
        // All files are read again, so that the limit holds for all of them together.
        return (await readContents(objects, wanted, maxBytes)).found;
      },
    };
    return await use({
      commit: commit.oid,
      branch: fetched?.branch ?? null,
      tag: fetched?.tag ?? null,
      defaultBranch: fetched?.defaultBranch ?? null,
      isDefaultBranch: fetched?.isDefaultBranch ?? false,
      fs,
      oid,
    });
  } catch (error) {
    throw translateError(error, limits, input);
  } finally {
    reader?.close();
    session?.close();
    await removeGitFolder(folder);
  }
}

const MAX_COMMIT_BYTES = 1024 * 1024;

/** Follows an annotated tag to its commit. Null where it points at something else. */
async function peelCommit(reader: ObjectReader, object: string): Promise<{ oid: string; tree: string } | null> {
  const { value: commit } = await reader.read([`${object}^{commit}`], MAX_COMMIT_BYTES).next();
  const tree = commit && /^tree ([0-9a-f]+)$/m.exec(commit.bytes.toString('latin1'))?.[1];
  return commit && tree ? { oid: commit.oid, tree } : null;
}

const stopSignal = (limits: RunLimits): AbortSignal =>
  limits.signal ? AbortSignal.any([limits.deadline, limits.signal]) : limits.deadline;

function translateError(error: unknown, limits: RunLimits, { gitUrl: url, policy }: OpenRepoInput): unknown {
  if (error instanceof VerenError) return error;
  if (limits.deadline.aborted)
    return new VerenError('GIT_TIMEOUT', { seconds: Math.round(policy.timeoutMs / 1000) }, { cause: error });
  if (limits.signal?.aborted) return new VerenError('GIT_FAILED', { url, reason: 'it was stopped' }, { cause: error });
  if (error instanceof ReaderError)
    return new VerenError('GIT_FAILED', { url, reason: lastWords(error.message, undefined) || 'git ended early' });
  return error;
}
