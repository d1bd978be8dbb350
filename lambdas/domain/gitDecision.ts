import { RefSchema } from '../../contract/api.ts';
import type { GitConnection, GitDelivery } from '../../contract/gitHosts.ts';
import type { Environment } from '../../contract/lanes.ts';
import { matchesPattern } from './matchPattern.ts';

/** What a project says of deliveries. */
export interface GitRules extends Partial<Pick<GitConnection, 'previews' | 'productionTags' | 'drafts' | 'forks'>> {
  /** The project's, else the default branch of the repository; undefined where neither is known. */
  readonly productionBranch: string | undefined;
}

export type GitDecision =
  | { readonly kind: 'nothing'; readonly reason: string }
  | {
      readonly kind: 'deploy';
      readonly environment: Environment;
      /** Foreign code: it has no secrets, and caches of its own. */
      readonly untrusted: boolean;
      /** A member is to say that this commit may be built. */
      readonly needsApproval: boolean;
      /** What the deployment is of: its branch, by which previews have their address, or its tag. */
      readonly ref: { readonly kind: 'branch' | 'tag'; readonly name: string };
    }
  | { readonly kind: 'close'; readonly branch: string }
  | { readonly kind: 'rename' };

/** Words in a commit's message by which nothing is deployed. Source: those of GitHub Actions and GitLab, and our own. */
const SKIP = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip|skip deploy|deploy skip|no deploy)\]/i;

/** True where the author of the commit does not want it deployed. */
export const asksForNothing = (message = ''): boolean => SKIP.test(message);

/**
 * What a fork's pull request is to addresses and to newer pushes. No branch can have this name (`git check-ref-format`),
 * so no stranger's proposal gets the address of a branch.
 */
export const forkBranch = (number: number): string => `pull:${number}`;

const nothing = (reason: string): GitDecision => ({ kind: 'nothing', reason });
const own = { untrusted: false, needsApproval: false } as const;

/** What follows from a delivery for one project. */
export function decideDelivery(delivery: GitDelivery, rules: GitRules): GitDecision {
  switch (delivery.kind) {
    case 'nothing':
      return nothing(delivery.reason);
    case 'renamed':
      return { kind: 'rename' };
    case 'push':
      return decidePush(delivery, rules);
    case 'pullRequest':
      return decidePullRequest(delivery, rules);
  }
}

function decidePush(push: Extract<GitDelivery, { kind: 'push' }>, rules: GitRules): GitDecision {
  const { ref, commit, message } = push;
  if (!RefSchema.safeParse(ref.name).success) return nothing('The name of the branch or tag cannot be deployed.');
  if (commit === null) {
    if (ref.kind === 'tag') return nothing('A tag was deleted, and what was deployed by it stays.');
    return { kind: 'close', branch: ref.name };
  }
  if (asksForNothing(message)) return nothing('The message of the commit asks not to deploy it.');
  if (ref.kind === 'tag') {
    const { productionTags } = rules;
    if (productionTags === undefined || !matchesPattern(ref.name, productionTags))
      return nothing('The project deploys no tags of this name.');
    return { kind: 'deploy', environment: 'production', ref, ...own };
  }
  if (ref.name === rules.productionBranch) return { kind: 'deploy', environment: 'production', ref, ...own };
  if ((rules.previews ?? 'branches') !== 'branches') return nothing('The project has no previews of branches.');
  return { kind: 'deploy', environment: 'preview', ref, ...own };
}

function decidePullRequest(request: Extract<GitDelivery, { kind: 'pullRequest' }>, rules: GitRules): GitDecision {
  const { isFork, branch, number } = request;
  if (!isFork && !RefSchema.safeParse(branch).success) return nothing('The name of the branch cannot be deployed.');
  const ref = { kind: 'branch', name: isFork ? forkBranch(number) : branch } as const;
  if (request.action === 'closed') return { kind: 'close', branch: ref.name };
  if (rules.previews === 'none') return nothing('The project has no previews.');
  if (request.draft && rules.drafts === false) return nothing('The pull request is a draft.');
  if (asksForNothing(request.message)) return nothing('The message of the commit asks not to deploy it.');
  if (isFork && branch.startsWith('refs/')) return nothing('The pull request has no branch that could be read.');
  if (!isFork)
    return branch === rules.productionBranch
      ? nothing('The production branch has its deployment by its pushes.')
      : { kind: 'deploy', environment: 'preview', ref, ...own };
  const { forks = 'approve' } = rules;
  if (forks === 'never') return nothing('The project does not build pull requests of forks.');
  return { kind: 'deploy', environment: 'preview', ref, untrusted: true, needsApproval: forks === 'approve' };
}
