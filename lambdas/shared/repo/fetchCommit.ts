import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { discoverCapabilities } from './discovery.ts';
import { type FetchContext, fetchError, isMissingHead, isMissingRef, isRedirect, isUnadvertised } from './gitErrors.ts';
import { forgetObjects, forgetRemote } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { parseGitUrl } from './gitUrl.ts';
import { type Resolve, resolvePublicAddresses } from './hostAddress.ts';
import { makeRemote, type Remote } from './remote.ts';
import { type GitFolder, type GitResult, type RunLimits, runGit } from './runGit.ts';
import { openSession, type Session, SessionError } from './session.ts';
import { findByFetch, findInSession, isShortCommit } from './shortCommit.ts';

export interface CommitFetchInput {
  readonly gitUrl: string;
  readonly ref?: string | undefined;
  readonly gitToken?: string | undefined;
  readonly policy: GitPolicy;
  readonly resolve?: Resolve | undefined;
}

export interface FetchedCommit {
  /** A commit, or a tag that leads to one. */
  readonly object: string;
  readonly remote: Remote;
  readonly context: FetchContext;
  /** The conversation, still open; null where `git fetch` has fetched the commit. */
  readonly session: Session | null;
  /** The branch or the tag that was asked for; both null for a commit, or where the host does not say. */
  readonly branch: string | null;
  readonly tag: string | null;
  /** Branch that the host's HEAD points at; null where it is not known: a commit was asked for, or the host does not say. */
  readonly defaultBranch: string | null;
  /**
   * True where the ref is that branch, or HEAD. Where a tag has the same name git uses the tag, so then it is false.
   */
  readonly isDefaultBranch: boolean;
}

const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** How many branches are searched for a commit. */
const MAX_TIPS = 500;
const ONLY_TREES = '--filter=blob:none';

/**
 * Fetches the commit and its trees, without file contents where the host can filter. One round trip more than
 * `git ls-remote`. Throws GIT_URL_UNSUPPORTED, GIT_HOST_FORBIDDEN, REPO_*, REF_NOT_FOUND, GIT_TIMEOUT or GIT_FAILED.
 */
export async function fetchCommit(
  folder: GitFolder,
  input: CommitFetchInput,
  limits: RunLimits,
): Promise<FetchedCommit> {
  const { policy, gitToken: token } = input;
  // Ids are compared letter by letter from here on.
  let ref = input.ref !== undefined && COMMIT_ID.test(input.ref.toLowerCase()) ? input.ref.toLowerCase() : input.ref;
  let text = input.gitUrl;
  let origin: string | undefined;
  for (let hop = 0; ; hop++) {
    const url = parseGitUrl(text, policy);
    const addresses = await resolvePublicAddresses(url, policy, input.resolve, limits.deadline);
    // The token is for the first host only: another origin after a redirect does not get it.
    origin ??= url.origin;
    const remote = makeRemote(folder, url, addresses, url.origin === origin ? token : undefined);
    const context: FetchContext = { url: url.href, ref, token, timeoutMs: policy.timeoutMs, maxBytes: policy.maxBytes };
    const spoken = await inSession(remote, ref, policy.timeoutMs, limits);
    if (spoken.session) return { ...spoken, remote, context };
    const [result, head] = spoken.result
      ? [spoken.result, NO_HEAD]
      : await Promise.all([fetchRef(remote, ref, [ONLY_TREES], limits), readHead(remote, ref, limits)]);
    if (hasSucceeded(result)) {
      await forgetRemote(folder);
      return { object: await fetchedObject(folder, ref), remote, context, session: null, ...head };
    }
    if (ref !== undefined && isShortCommit(ref) && isMissingRef(result)) {
      const short = { url: url.href, ref, timeoutMs: policy.timeoutMs };
      ref = await findByFetch(remote, short, limits);
      await forgetObjects(folder);
      continue;
    }
    if (isRedirect(result) && hop < policy.maxRedirects) {
      const { redirect } = await discoverCapabilities(url, addresses, limits);
      if (redirect !== undefined) {
        text = redirect;
        continue;
      }
    }
    throw isMissingHead(result) && ref === undefined
      ? await missingHead(remote, context, limits)
      : fetchError(result, context);
  }
}

/** Where HEAD points, and what the wanted ref is. */
type Head = Pick<FetchedCommit, 'branch' | 'tag' | 'defaultBranch' | 'isDefaultBranch'>;
const NO_HEAD: Head = { branch: null, tag: null, defaultBranch: null, isDefaultBranch: false };

type Spoken =
  | ({ readonly session: Session; readonly object: string } & Head)
  /**
   * With a result: how the conversation failed. Without: the host has an older protocol version, so `git fetch` is
   * used.
   */
  | { readonly session: null; readonly result?: GitResult };

/** The same in one conversation, where the host speaks protocol version 2 over HTTP. */
async function inSession(
  remote: Remote,
  ref: string | undefined,
  timeoutMs: number,
  limits: RunLimits,
): Promise<Spoken> {
  if (remote.url.protocol === 'file:') return { session: null };
  let session: Session | null = null;
  try {
    session = await openSession(remote, limits);
    if (!session) return { session };
    const short = (wanted: string) =>
      findInSession(session!, remote.git, { url: remote.url.href, ref: wanted, timeoutMs }, limits);
    const resolved =
      ref !== undefined && COMMIT_ID.test(ref)
        ? { object: ref, ...NO_HEAD }
        : await resolveRef(session, ref ?? 'HEAD', short);
    await session.fetch([resolved.object]);
    return { session, ...resolved };
  } catch (error) {
    session?.close();
    if (error instanceof SessionError) return { session: null, result: error.result };
    throw error;
  }
}

/** In the order of gitrevisions(7): the name itself, then as a tag, then as a branch; then as the beginning of an id. */
async function resolveRef(
  session: Session,
  ref: string,
  short: (ref: string) => Promise<string>,
): Promise<{ object: string } & Head> {
  const names = [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`];
  const { oids, defaultBranch } = await session.refs(names);
  const name = names.find((known) => oids.has(known));
  if (name !== undefined) {
    const branch = name === 'HEAD' ? defaultBranch : (/^refs\/heads\/(.+)$/.exec(name)?.[1] ?? null);
    return {
      object: oids.get(name)!,
      branch,
      tag: /^refs\/tags\/(.+)$/.exec(name)?.[1] ?? null,
      defaultBranch,
      isDefaultBranch: name === 'HEAD' || name === `refs/heads/${defaultBranch}`,
    };
  }
  if (isShortCommit(ref)) return { object: await short(ref), ...NO_HEAD };
  const stderr = `fatal: couldn't find remote ref ${ref}`;
  throw new SessionError({ kind: 'exit', code: 128, stdout: '', stderr });
}

/** Contents of the named objects, in one request. */
export async function fetchObjects(
  { remote, context, session }: FetchedCommit,
  oids: readonly string[],
  limits: RunLimits,
): Promise<void> {
  if (session) {
    await session.fetch(oids).catch((error: unknown) => {
      throw error instanceof SessionError ? fetchError(error.result, context) : error;
    });
    return;
  }
  let result = await runFetch(remote, ['--depth=1'], oids, limits);
  // A host of protocol version 0 may support filters but not single files; then the whole commit is fetched.
  if (isUnadvertised(result)) {
    await forgetObjects(remote.git);
    result = await fetchRef(remote, context.ref, [], limits);
  }
  if (!hasSucceeded(result)) throw fetchError(result, context);
  await forgetRemote(remote.git);
}

async function fetchRef(
  remote: Remote,
  ref: string | undefined,
  options: readonly string[],
  limits: RunLimits,
): Promise<GitResult> {
  const result = await runFetch(remote, ['--depth=1', ...options], [ref ?? 'HEAD'], limits);
  if (ref === undefined || !COMMIT_ID.test(ref) || !isUnadvertised(result)) return result;
  // Such a host gives only what a branch or tag points at: take the branches and look for the commit. By their ids, since
  // names of ours for them would be as many files as the host likes.
  const heads = await runGit(remote.git, ['ls-remote', '--heads', '--', remote.url.href], limits);
  if (!hasSucceeded(heads) || heads.kind !== 'exit') return heads;
  const tips = heads.stdout.match(/^[0-9a-f]{40,64}(?=\t)/gm) ?? [];
  return tips.length === 0 ? result : runFetch(remote, options, [...new Set(tips)].slice(0, MAX_TIPS), limits);
}

/** Nothing but the objects: no tags, no submodules, no automatic maintenance, no progress. */
const runFetch = (remote: Remote, options: readonly string[], refs: readonly string[], limits: RunLimits) =>
  runGit(
    remote.git,
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-auto-maintenance',
      '--no-write-commit-graph',
      ...uploadPack(remote.url),
      ...options,
      '--',
      remote.url.href,
      ...refs,
    ],
    limits,
  );

/**
 * A repository on this machine offers filters only if its configuration allows them; here this process is the server
 * too.
 */
const uploadPack = (url: URL): string[] =>
  url.protocol === 'file:'
    ? [
        '--upload-pack=git -c uploadpack.allowFilter=true -c core.packedGitWindowSize=16m -c core.packedGitLimit=64m upload-pack',
      ]
    : [];

const hasSucceeded = (result: GitResult) => result.kind === 'exit' && result.code === 0;

/** FETCH_HEAD's first line begins with the name of what was fetched. Source: git-fetch(1). */
async function fetchedObject(folder: GitFolder, ref: string | undefined): Promise<string> {
  if (ref !== undefined && COMMIT_ID.test(ref)) return ref;
  const line = await readFile(join(folder.path, 'FETCH_HEAD'), 'utf8');
  return line.slice(0, line.search(/[^0-9a-f]/));
}

/** The same for a host that only `git fetch` speaks with, which does not report it. */
async function readHead(remote: Remote, ref: string | undefined, limits: RunLimits): Promise<Head> {
  if (ref !== undefined && COMMIT_ID.test(ref)) return NO_HEAD;
  const tag = `refs/tags/${ref}`;
  const result = await runGit(remote.git, ['ls-remote', '--symref', '--', remote.url.href, 'HEAD', tag], limits);
  if (!hasSucceeded(result) || result.kind !== 'exit')
    return { ...NO_HEAD, isDefaultBranch: ref === undefined || ref === 'HEAD' };
  const defaultBranch = /^ref: refs\/heads\/([^\s\u0000-\u001f\u007f]{1,255})\tHEAD$/m.exec(result.stdout)?.[1] ?? null;
  const isTag = /^(?:refs\/)?tags\//.test(ref ?? '') || result.stdout.split('\n').some((l) => l.endsWith(`\t${tag}`));
  const branch = ref?.replace(/^(?:refs\/)?heads\//, '');
  if (branch === undefined || branch === 'HEAD')
    return { branch: defaultBranch, tag: null, defaultBranch, isDefaultBranch: true };
  if (isTag)
    return { branch: null, tag: branch.replace(/^(?:refs\/)?tags\//, ''), defaultBranch, isDefaultBranch: false };
  return {
    branch: branch.startsWith('refs/') ? null : branch,
    tag: null,
    defaultBranch,
    isDefaultBranch: branch === defaultBranch,
  };
}

/** No HEAD: an empty repository, one whose default branch is gone, or no repository at all. */
async function missingHead(remote: Remote, context: FetchContext, limits: RunLimits): Promise<VerenError> {
  const { url } = context;
  const result = await runGit(remote.git, ['ls-remote', '--heads', '--', remote.url.href], limits);
  if (result.kind !== 'exit' || result.code !== 0) return fetchError(result, context);
  if (result.stdout !== '') return new VerenError('REF_NOT_FOUND', { url, ref: 'HEAD' });
  const web = remote.url.protocol !== 'file:';
  const foreign = web && (await discoverCapabilities(remote.url, remote.addresses, limits)).foreign;
  return new VerenError(foreign ? 'REPO_NOT_FOUND' : 'REPO_EMPTY', { url });
}
