import { askRemote, type RemoteOptions } from './askRemote.ts';
import { tooLarge } from './excess.ts';
import type { GitPolicy } from './gitPolicy.ts';

/** A branch or tag, by its short name, and the commit that it points at. */
export interface ListedRef {
  readonly kind: 'branch' | 'tag';
  readonly name: string;
  readonly commit: string;
}

export interface ListedRefs {
  readonly refs: readonly ListedRef[];
  /** The branch that HEAD points at; null where the host does not say. */
  readonly defaultBranch: string | null;
}

/** Throws REPO_TOO_LARGE for a longer listing, and what `askRemote` throws. */
export type ListRefs = (
  of: { readonly gitUrl: string; readonly gitToken?: string | undefined },
  signal?: AbortSignal,
) => Promise<ListedRefs>;

/** Some 20,000 refs. */
const MAX_LISTING = 2 * 1024 * 1024;

export const refLister =
  (policy: GitPolicy, options: Omit<RemoteOptions, 'signal' | 'maxOutput'> = {}): ListRefs =>
  async (of, signal) => {
    const wanted = ['HEAD', 'refs/heads/*', 'refs/tags/*'];
    const more = { ...options, ...(signal && { signal }), maxOutput: MAX_LISTING };
    const listing = await askRemote({ ...of, wanted }, policy, more);
    if (Buffer.byteLength(listing) >= MAX_LISTING) throw tooLarge('it has more branches and tags than are listed');
    return readListing(listing);
  };

/** Source: git-ls-remote(1). An annotated tag is followed to its commit, which comes after it as `name^{}`. */
function readListing(listing: string): ListedRefs {
  const refs = new Map<string, ListedRef>();
  let defaultBranch: string | null = null;
  for (const line of listing.split('\n')) {
    defaultBranch ??= /^ref: refs\/heads\/(\S{1,255})\tHEAD$/.exec(line)?.[1] ?? null;
    const [, commit, folder, name] = /^([0-9a-f]{40,64})\trefs\/(heads|tags)\/(.+?)(?:\^\{\})?$/.exec(line) ?? [];
    if (commit === undefined || name === undefined) continue;
    refs.set(`${folder}/${name}`, { kind: folder === 'tags' ? 'tag' : 'branch', name, commit });
  }
  return { refs: [...refs.values()], defaultBranch };
}
