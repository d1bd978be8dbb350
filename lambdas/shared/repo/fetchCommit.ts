import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerenError } from '../../../contract/errors.ts';
import { type FetchContext, fetchError, isRedirect, isUnadvertised } from './gitErrors.ts';
import { forgetRemote, type GitConfig, withConfig } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { parseGitUrl } from './gitUrl.ts';
import { type Resolve, resolvePublicAddresses } from './hostAddress.ts';
import { redirectTarget } from './redirect.ts';
import { type GitFolder, type GitResult, type RunLimits, runGit } from './runGit.ts';

export interface Remote {
  /** The normalised URL that was checked: after redirects, the one that answers. */
  readonly url: URL;
  /** Git with the checked addresses pinned and the credentials for this origin. */
  readonly git: GitFolder;
}

export interface FetchInput {
  readonly gitUrl: string;
  readonly ref?: string | undefined;
  readonly gitToken?: string | undefined;
  readonly policy: GitPolicy;
  readonly resolve?: Resolve | undefined;
}

const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** Nothing but the objects: no tags, no submodules, no automatic maintenance, no progress. */
const FETCH = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  '--no-write-commit-graph',
];

/**
 * Fetches the commit and its trees, without file contents where the host can filter, and answers the fetched object's
 * name (a commit or a tag) and where the rest is to be asked for. One round trip more than `git ls-remote`.
 * Throws GIT_URL_UNSUPPORTED, GIT_HOST_FORBIDDEN, REPO_*, REF_NOT_FOUND, GIT_TIMEOUT or GIT_FAILED.
 */
export async function fetchCommit(
  folder: GitFolder,
  input: FetchInput,
  limits: RunLimits,
): Promise<{ object: string; remote: Remote }> {
  const { policy, ref, gitToken: token } = input;
  let text = input.gitUrl;
  let origin: string | undefined;
  for (let hop = 0; ; hop++) {
    const url = parseGitUrl(text, policy);
    const addresses = await resolvePublicAddresses(url, policy, input.resolve);
    // The token is the first host's: another origin that we are sent to does not get it.
    origin ??= url.origin;
    const credentials = url.origin === origin ? token : undefined;
    if (credentials !== undefined) requireSafeForToken(url);
    const remote = { url, git: withConfig(folder, remoteConfig(url, addresses, credentials)) };
    const context: FetchContext = { url: url.href, ref, token, timeoutMs: policy.timeoutMs, maxBytes: policy.maxBytes };
    const result = await fetchRef(remote, ref ?? 'HEAD', limits);
    if (result.kind === 'exit' && result.code === 0) {
      await forgetRemote(folder);
      return { object: await fetchedObject(folder, ref), remote };
    }
    if (isRedirect(result) && hop < policy.maxRedirects) {
      const target = await redirectTarget(url, addresses, limits.deadline);
      if (target !== null) {
        text = target;
        continue;
      }
    }
    if (ref === undefined && isMissingHead(result)) throw await missingHead(remote, context, limits);
    throw fetchError(result, context);
  }
}

async function fetchRef(remote: Remote, ref: string, limits: RunLimits): Promise<GitResult> {
  const result = await runGit(
    remote.git,
    [...FETCH, ...uploadPack(remote.url), '--depth=1', '--filter=blob:none', '--', remote.url.href, ref],
    limits,
  );
  if (!COMMIT_ID.test(ref) || !isUnadvertised(result)) return result;
  // Hosts with protocol version 0 give only what a branch or tag points at: take every branch and look for the commit.
  return runGit(
    remote.git,
    [...FETCH, ...uploadPack(remote.url), '--filter=blob:none', '--', remote.url.href, '+refs/heads/*:refs/veren/*'],
    limits,
  );
}

/** Contents of the named objects, in one request. */
export async function fetchObjects(remote: Remote, oids: readonly string[], context: FetchContext, limits: RunLimits) {
  const args = [...FETCH, ...uploadPack(remote.url), '--depth=1', '--', remote.url.href, ...oids];
  const result = await runGit(remote.git, args, limits);
  if (result.kind !== 'exit' || result.code !== 0) throw fetchError(result, context);
  await forgetRemote(remote.git);
}

/** A repository on this machine has no filter unless its own configuration says so; here we are the server too. */
const uploadPack = (url: URL): string[] =>
  url.protocol === 'file:' ? ['--upload-pack=git -c uploadpack.allowFilter=true upload-pack'] : [];

/** Exported for the test that shows that the pin holds. */
export function remoteConfig(url: URL, addresses: readonly string[], token: string | undefined): GitConfig {
  const config: [string, string][] = [
    ['protocol.version', '2'],
    ['http.followRedirects', 'false'],
    ['credential.helper', ''],
    ['core.hooksPath', '/dev/null'],
    // Never unpack to loose files; stream what is large instead of holding it in memory.
    ['fetch.unpackLimit', '1'],
    ['core.bigFileThreshold', '1m'],
    ['pack.threads', '1'],
  ];
  if (addresses.length > 0) {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    config.push(['http.curloptResolve', `${url.hostname}:${port}:${addresses.map(bracketed).join(',')}`]);
  }
  if (token !== undefined) {
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    config.push([`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  return config;
}

const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address);

/** A token in the clear may only travel inside the machine. */
function requireSafeForToken(url: URL): void {
  if (url.protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw new VerenError('GIT_URL_UNSUPPORTED', { reason: 'a token is only sent over https' });
}

/** FETCH_HEAD's first line begins with the name of what was fetched. Source: git-fetch(1). */
async function fetchedObject(folder: GitFolder, ref: string | undefined): Promise<string> {
  if (ref !== undefined && COMMIT_ID.test(ref)) return ref;
  const line = await readFile(join(folder.path, 'FETCH_HEAD'), 'utf8');
  return line.slice(0, line.search(/[^0-9a-f]/));
}

const isMissingHead = (result: GitResult) =>
  result.kind === 'exit' && /couldn't find remote ref HEAD/.test(result.stderr);

/** No HEAD: an empty repository, or one whose default branch is gone. */
async function missingHead(remote: Remote, context: FetchContext, limits: RunLimits): Promise<VerenError> {
  const result = await runGit(remote.git, ['ls-remote', '--heads', '--', remote.url.href], limits);
  if (result.kind !== 'exit' || result.code !== 0) return fetchError(result, context);
  if (result.stdout === '') return new VerenError('REPO_EMPTY', { url: remote.url.href });
  return new VerenError('REF_NOT_FOUND', { url: remote.url.href, ref: 'HEAD' });
}
