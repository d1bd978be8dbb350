import { discoverCapabilities } from './discovery.ts';
import { fetchError, isRedirect } from './gitErrors.ts';
import { makeGitFolder, removeGitFolder } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { parseGitUrl } from './gitUrl.ts';
import { type Resolve, resolvePublicAddresses } from './hostAddress.ts';
import { makeRemote } from './remote.ts';
import { type RunLimits, runGit } from './runGit.ts';

export interface TipInput {
  readonly gitUrl: string;
  readonly ref: { readonly kind: 'branch' | 'tag'; readonly name: string };
  readonly gitToken?: string | undefined;
}

export interface RemoteTip {
  /** The commit that the branch or tag points at now; null where the repository has none of that name. */
  readonly commit: string | null;
  /** The branch that HEAD points at; null where the host does not say. */
  readonly defaultBranch: string | null;
}

/** Asks a repository's host for one ref. Throws GIT_URL_UNSUPPORTED, GIT_HOST_FORBIDDEN, REPO_*, GIT_TIMEOUT or GIT_FAILED. */
export type ReadTip = (input: TipInput) => Promise<RemoteTip>;

/** Bytes of refs that are read: git asks the host for those that were named, and an old host sends all. */
const MAX_LISTED = 16 * 1024 * 1024;

export const tipReader =
  (policy: GitPolicy, options: { readonly workDir?: string; readonly resolve?: Resolve } = {}): ReadTip =>
  async ({ gitUrl, ref, gitToken }) => {
    const limits: RunLimits = {
      deadline: AbortSignal.timeout(policy.timeoutMs),
      signal: undefined,
      maxPackBytes: MAX_LISTED,
    };
    const folder = await makeGitFolder(policy, options.workDir);
    const name = `refs/${ref.kind === 'tag' ? 'tags' : 'heads'}/${ref.name}`;
    try {
      let text = gitUrl;
      let origin: string | undefined;
      for (let hop = 0; ; hop++) {
        const url = parseGitUrl(text, policy);
        const addresses = await resolvePublicAddresses(url, policy, options.resolve, limits.deadline);
        // The token is for the first host only: another origin after a redirect does not get it.
        origin ??= url.origin;
        const token = url.origin === origin ? gitToken : undefined;
        const { git } = makeRemote(folder, url, addresses, token);
        const wanted = ['HEAD', name, `${name}^{}`];
        const result = await runGit(git, ['ls-remote', '--symref', '--', url.href, ...wanted], limits);
        if (result.kind === 'exit' && result.code === 0) return readListing(result.stdout, name);
        if (isRedirect(result) && hop < policy.maxRedirects) {
          const { redirect } = await discoverCapabilities(url, addresses, limits);
          if (redirect !== undefined) {
            text = redirect;
            continue;
          }
        }
        throw fetchError(result, { url: url.href, token, timeoutMs: policy.timeoutMs, maxBytes: MAX_LISTED });
      }
    } finally {
      await removeGitFolder(folder);
    }
  };

/** Source: git-ls-remote(1). A pattern also finds refs that end with the name, so names are compared in full. */
function readListing(listing: string, name: string): RemoteTip {
  let commit: string | null = null;
  let defaultBranch: string | null = null;
  for (const line of listing.split('\n')) {
    const [, target, id, found] = /^(?:ref: refs\/heads\/(\S{1,255})|([0-9a-f]{40,64}))\t(.+)$/.exec(line) ?? [];
    if (target !== undefined && found === 'HEAD') defaultBranch = target;
    // An annotated tag is followed to its commit, which comes after it.
    if (id !== undefined && (found === name || found === `${name}^{}`)) commit = id;
  }
  return { commit, defaultBranch };
}
