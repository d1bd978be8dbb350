import { VerenError } from '../../../contract/errors.ts';
import { fetchError } from './gitErrors.ts';
import { forgetObjects, forgetRemote } from './gitFolder.ts';
import type { Remote } from './remote.ts';
import { type GitFolder, type GitResult, type RunLimits, runGit } from './runGit.ts';
import type { Session } from './session.ts';
import { SessionError } from './session.ts';

/** An abbreviated commit id, in the form that `git log --oneline` and web pages of git hosts show. */
export const isShortCommit = (ref: string): boolean => /^[0-9a-f]{7,39}$/i.test(ref);

/** How many branches' histories are searched, the default branch first. */
export const MAX_HISTORY_TIPS = 500;
/** How many objects with the same beginning are looked at; seven digits rarely fit more than one. */
const MAX_ALIKE = 16;
const NAMED = 4;

export interface ShortCommit {
  readonly url: string;
  readonly ref: string;
  readonly timeoutMs: number;
}

const unresolved = ({ ref }: ShortCommit, reason: string) => new VerenError('SHORT_COMMIT_UNRESOLVED', { ref, reason });

/** The single id among several that may be equal. Null where there is none. Throws SHORT_COMMIT_AMBIGUOUS. */
function onlyOne(found: Iterable<string>, { ref }: ShortCommit): string | null {
  const ids = [...new Set(found)];
  if (ids.length > 1) {
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
    throw new VerenError('SHORT_COMMIT_AMBIGUOUS', { ref, commits: ids.slice(0, NAMED).join(', ') + more });
  }
  return ids[0] ?? null;
}

/**
 * The full id of an abbreviated one. Hosts do not look ids up by their beginning, so it is compared first with what the
 * branches and tags point at, then with the commits of the branches, fetched without trees and files. The first step is
 * not necessary but costs a host far less. The folder is empty again afterwards. Throws REF_NOT_FOUND,
 * SHORT_COMMIT_AMBIGUOUS or SHORT_COMMIT_UNRESOLVED.
 */
export async function findInSession(
  session: Session,
  folder: GitFolder,
  wanted: ShortCommit,
  limits: RunLimits,
): Promise<string> {
  const prefix = wanted.ref.toLowerCase();
  const { alike, tips } = await session.tips(prefix, MAX_HISTORY_TIPS);
  const advertised = onlyOne(alike, wanted);
  if (advertised !== null) return advertised;
  if (!session.canFilter) throw unresolved(wanted, 'the git host does not give commits without their files');
  try {
    if (tips.length > 0) await session.fetchHistory(tips);
  } catch (error) {
    throw unread(error instanceof SessionError ? error.result : error, wanted);
  }
  return found(folder, prefix, wanted, limits);
}

/** The same by `git fetch`, for hosts without a session. */
export async function findByFetch(remote: Remote, wanted: ShortCommit, limits: RunLimits): Promise<string> {
  const prefix = wanted.ref.toLowerCase();
  const { href } = remote.url;
  const listed = await runGit(remote.git, ['ls-remote', '--heads', '--tags', '--', href], limits);
  if (listed.kind !== 'exit' || listed.code !== 0) throw unread(listed, wanted);
  const refs = [...listed.stdout.matchAll(/^([0-9a-f]{40,64})\trefs\/(heads|tags)\/\S+$/gm)];
  const advertised = onlyOne(
    refs.map(([, oid]) => oid!).filter((oid) => oid.startsWith(prefix)),
    wanted,
  );
  if (advertised !== null) return advertised;
  const tips = new Set(refs.filter(([, , kind]) => kind === 'heads').map(([, oid]) => oid!));
  if (tips.size > 0) {
    const options = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--filter=tree:0'];
    const upload =
      remote.url.protocol === 'file:' ? ['--upload-pack=git -c uploadpack.allowFilter=true upload-pack'] : [];
    const wants = [...tips].slice(0, MAX_HISTORY_TIPS);
    const result = await runGit(remote.git, ['fetch', ...options, ...upload, '--', href, ...wants], limits);
    await forgetRemote(remote.git);
    if (result.kind !== 'exit' || result.code !== 0) throw unread(result, wanted);
  }
  return found(remote.git, prefix, wanted, limits);
}

/** Among the commits that were fetched. */
async function found(folder: GitFolder, prefix: string, wanted: ShortCommit, limits: RunLimits): Promise<string> {
  const alike = await runGit(folder, ['rev-parse', `--disambiguate=${prefix}`], limits);
  if (alike.kind !== 'exit' || alike.code !== 0) throw unread(alike, wanted);
  const commits: string[] = [];
  for (const oid of alike.stdout.split('\n').filter(Boolean).slice(0, MAX_ALIKE)) {
    const type = await runGit(folder, ['cat-file', '-t', oid], limits);
    if (type.kind === 'exit' && type.stdout.trim() === 'commit') commits.push(oid);
  }
  await forgetObjects(folder);
  const commit = onlyOne(commits, wanted);
  if (commit === null) throw new VerenError('REF_NOT_FOUND', { url: wanted.url, ref: wanted.ref });
  return commit;
}

/** The error for a history that could not be searched; it is not retried, since the history would be the same. */
function unread(reason: unknown, wanted: ShortCommit): unknown {
  const error = reason instanceof Error ? reason : fetchError(reason as GitResult, { ...wanted, maxBytes: 0 });
  if (!(error instanceof VerenError)) return error;
  if (error.code === 'REPO_TOO_LARGE') return unresolved(wanted, 'the history is too large to be looked through');
  if (error.code === 'GIT_TIMEOUT')
    return unresolved(wanted, `looking through the history takes longer than ${wanted.timeoutMs / 1000} s`);
  return error;
}
