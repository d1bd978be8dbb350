import { askRemote, type RemoteOptions } from './askRemote.ts';
import type { GitPolicy } from './gitPolicy.ts';

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

export const tipReader =
  (policy: GitPolicy, options: RemoteOptions = {}): ReadTip =>
  async ({ gitUrl, ref, gitToken }) => {
    const name = `refs/${ref.kind === 'tag' ? 'tags' : 'heads'}/${ref.name}`;
    const wanted = ['HEAD', name, `${name}^{}`];
    return readListing(await askRemote({ gitUrl, gitToken, wanted }, policy, options), name);
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
