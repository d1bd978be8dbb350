import { discoverCapabilities } from './discovery.ts';
import { fetchError, isRedirect } from './gitErrors.ts';
import { makeGitFolder, removeGitFolder } from './gitFolder.ts';
import type { GitPolicy } from './gitPolicy.ts';
import { parseGitUrl } from './gitUrl.ts';
import { type Resolve, resolvePublicAddresses } from './hostAddress.ts';
import { makeRemote } from './remote.ts';
import { type RunLimits, runGit } from './runGit.ts';

export interface RemoteOptions {
  /** Where the temporary repository is made. @default - the system's folder for temporary files */
  readonly workDir?: string;
  /** @default - the system's */
  readonly resolve?: Resolve;
  readonly signal?: AbortSignal;
  /** Bytes of the listing that are kept. @default - enough for a few refs */
  readonly maxOutput?: number;
}

export interface RemoteQuestion {
  readonly gitUrl: string;
  readonly gitToken?: string | undefined;
  /** Patterns of git-ls-remote(1), or one of its options. */
  readonly wanted: readonly string[];
}

/** Bytes of refs that are read: git asks the host for those that were named, and an old host sends all. */
const MAX_LISTED = 16 * 1024 * 1024;

/**
 * What `git ls-remote --symref` says of a repository: lines of ids and names. Addresses are checked and pinned, redirects
 * checked like the URL itself, and the token goes to the first host only. Throws GIT_URL_UNSUPPORTED, GIT_HOST_FORBIDDEN,
 * REPO_*, GIT_TIMEOUT or GIT_FAILED.
 */
export async function askRemote(
  { gitUrl, gitToken, wanted }: RemoteQuestion,
  policy: GitPolicy,
  { workDir, resolve, signal, maxOutput }: RemoteOptions = {},
): Promise<string> {
  const deadline = AbortSignal.timeout(policy.timeoutMs);
  const limits: RunLimits = { deadline, signal, maxPackBytes: MAX_LISTED, maxOutput };
  const folder = await makeGitFolder(policy, workDir);
  try {
    let text = gitUrl;
    let origin: string | undefined;
    for (let hop = 0; ; hop++) {
      const url = parseGitUrl(text, policy);
      const addresses = await resolvePublicAddresses(url, policy, resolve, limits.deadline);
      // The token is for the first host only: another origin after a redirect does not get it.
      origin ??= url.origin;
      const token = url.origin === origin ? gitToken : undefined;
      const { git } = makeRemote(folder, url, addresses, token);
      const result = await runGit(git, ['ls-remote', '--symref', '--', url.href, ...wanted], limits);
      if (result.kind === 'exit' && result.code === 0) return result.stdout;
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
}
