import fc from 'fast-check';
import type { GitDelivery } from '../../../contract/gitHosts.ts';
import { decideDelivery, forkBranch, type GitRules } from '../../../lambdas/domain/gitDecision.ts';
import { matchesPattern } from '../../../lambdas/domain/matchPattern.ts';

const COMMIT = 'a'.repeat(40);
const repository = { id: '1', name: 'ada/shop', gitUrl: 'https://git.example/ada/shop.git' };
type Push = Extract<GitDelivery, { kind: 'push' }>;
type PullRequest = Extract<GitDelivery, { kind: 'pullRequest' }>;

const push = (over: Partial<Push> = {}): Push => ({
  ...{ kind: 'push', repository, ref: { kind: 'branch', name: 'main' }, commit: COMMIT, before: null },
  ...over,
});
const branch = (name: string) => ({ ref: { kind: 'branch' as const, name } });
const tag = (name: string) => ({ ref: { kind: 'tag' as const, name } });
const pull = (over: Partial<PullRequest> = {}): PullRequest => ({
  ...{ kind: 'pullRequest', repository, number: 7, action: 'changed', draft: false, commit: COMMIT },
  ...{ branch: 'feature', base: 'main', from: repository, isFork: false },
  ...over,
});
const fork = (over: Partial<PullRequest> = {}) =>
  pull({ isFork: true, from: { id: '2', name: 'eve/shop', gitUrl: 'https://git.example/eve/shop.git' }, ...over });
const rules = (over: Partial<GitRules> = {}): GitRules => ({ productionBranch: 'main', ...over });

/** A decision in few words. */
function inWords(delivery: GitDelivery, over: Partial<GitRules> = {}): string {
  const decision = decideDelivery(delivery, rules(over));
  if (decision.kind === 'close') return `close ${decision.branch}`;
  if (decision.kind !== 'deploy') return decision.kind;
  const { environment, untrusted, needsApproval, ref } = decision;
  return [environment, ref.kind, ref.name, untrusted && 'untrusted', needsApproval && 'held'].filter(Boolean).join(' ');
}

test.each<[string, GitDelivery, Partial<GitRules>, string]>([
  ['the production branch', push(), {}, 'production branch main'],
  ['another production branch', push(branch('live')), { productionBranch: 'live' }, 'production branch live'],
  ['production is not known', push(), { productionBranch: undefined }, 'preview branch main'],
  ['another branch', push(branch('feature')), {}, 'preview branch feature'],
  ['a branch, previews of pull requests', push(branch('feature')), { previews: 'pullRequests' }, 'nothing'],
  ['a branch, no previews', push(branch('feature')), { previews: 'none' }, 'nothing'],
  ['production, no previews', push(), { previews: 'none' }, 'production branch main'],
  ['a deleted branch', push({ ...branch('feature'), commit: null }), {}, 'close feature'],
  ['a tag', push(tag('v1.0')), {}, 'nothing'],
  ['a tag of the pattern', push(tag('v1.0')), { productionTags: 'v*' }, 'production tag v1.0'],
  ['a tag of another pattern', push(tag('x1.0')), { productionTags: 'v*' }, 'nothing'],
  ['a tag named as the branch', push(tag('main')), {}, 'nothing'],
  ['a deleted tag', push({ ...tag('v1.0'), commit: null }), { productionTags: 'v*' }, 'nothing'],
  ['[skip ci]', push({ message: 'Typo\n\n[skip ci]' }), {}, 'nothing'],
  ['[CI Skip]', push({ message: 'Typo [CI SKIP]' }), {}, 'nothing'],
  ['[skip deploy]', push({ message: '[skip deploy] Typo' }), {}, 'nothing'],
  ['a message about skipping', push({ message: 'How to skip ci' }), {}, 'production branch main'],
  ['a name that git cannot have', push(branch('a..b')), {}, 'nothing'],
  ['a name that looks like an option', push(branch('--upload-pack=x')), {}, 'nothing'],
  ['a pull request', pull(), {}, 'preview branch feature'],
  ['a pull request, no previews', pull(), { previews: 'none' }, 'nothing'],
  ['a pull request of production', pull({ branch: 'main', base: 'release' }), {}, 'nothing'],
  ['a draft', pull({ draft: true }), {}, 'preview branch feature'],
  ['a draft, no drafts', pull({ draft: true }), { drafts: false }, 'nothing'],
  ['a pull request with [skip ci]', pull({ message: '[skip ci]' }), {}, 'nothing'],
  ['a closed pull request', pull({ action: 'closed' }), {}, 'close feature'],
  ['a closed draft, no drafts', pull({ action: 'closed', draft: true }), { drafts: false }, 'close feature'],
  ['a fork', fork(), {}, 'preview branch pull:7 untrusted held'],
  ['a fork, always', fork(), { forks: 'build' }, 'preview branch pull:7 untrusted'],
  ['a fork, never', fork(), { forks: 'never' }, 'nothing'],
  ['a fork’s production branch', fork({ branch: 'main' }), { forks: 'build' }, 'preview branch pull:7 untrusted'],
  ['a closed fork', fork({ action: 'closed' }), {}, 'close pull:7'],
  ['renamed', { kind: 'renamed', repository }, {}, 'rename'],
  ['nothing', { kind: 'nothing', reason: 'x' }, {}, 'nothing'],
])('%s', (_, delivery, over, expected) => {
  expect(inWords(delivery, over)).toBe(expected);
});

const anyRules = fc.record(
  {
    productionBranch: fc.constantFrom('main', 'feature', 'pull:7'),
    previews: fc.constantFrom('branches', 'pullRequests', 'none'),
    productionTags: fc.constantFrom('*', 'v*', 'main'),
    drafts: fc.boolean(),
    forks: fc.constantFrom('approve', 'build', 'never'),
  },
  { requiredKeys: ['productionBranch'] },
) as fc.Arbitrary<GitRules>;
const name = fc.oneof(fc.constantFrom('main', 'feature', 'v1', 'pull:7', '-x', 'a..b'), fc.string({ minLength: 1 }));
const anyPull = fc
  .record({
    action: fc.constantFrom('changed', 'closed'),
    draft: fc.boolean(),
    message: fc.option(fc.string(), { nil: undefined }),
    branch: name,
    base: name,
    number: fc.integer({ min: 1, max: 99 }),
  })
  .map((over) => fork(over as Partial<PullRequest>));

test('whatever a stranger proposes and the project says, it gets no production, no trust and no name of a branch', () => {
  fc.assert(
    fc.property(anyPull, anyRules, (delivery, given) => {
      const decision = decideDelivery(delivery, given);
      if (decision.kind === 'close') expect(decision.branch).toBe(forkBranch(delivery.number));
      if (decision.kind !== 'deploy') return;
      expect(decision).toMatchObject({ environment: 'preview', untrusted: true });
      expect(decision.needsApproval).toBe((given.forks ?? 'approve') === 'approve');
      expect(decision.ref).toEqual({ kind: 'branch', name: forkBranch(delivery.number) });
    }),
    { numRuns: 2_000 },
  );
});

test('production is deployed by its branch and by tags of its pattern alone', () => {
  const anyPush = fc
    .record({ kind: fc.constantFrom('branch', 'tag'), name })
    .map((ref) => push({ ref } as Partial<Push>));
  fc.assert(
    fc.property(anyPush, anyRules, (delivery, given) => {
      const decision = decideDelivery(delivery, given);
      if (decision.kind !== 'deploy' || decision.environment !== 'production') return;
      const { ref } = delivery;
      if (ref.kind === 'branch') expect(ref.name).toBe(given.productionBranch);
      else expect(matchesPattern(ref.name, given.productionTags!)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('patterns', () => {
  const fits = (text: string, pattern: string) => matchesPattern(text, pattern);
  expect([fits('v1.2', 'v*'), fits('v', 'v*'), fits('xv1', 'v*'), fits('v1', 'v?'), fits('v12', 'v?')]).toEqual([
    ...[true, true, false, true, false],
  ]);
  expect([fits('release/1', 'release/*'), fits('a.b', 'a?b'), fits('axb', 'a.b'), fits('', '*')]).toEqual([
    ...[true, true, false, true],
  ]);
  const start = Date.now();
  expect(fits('a'.repeat(1_024), `${'*a'.repeat(99)}*b`)).toBe(false);
  expect(Date.now() - start).toBeLessThan(1_000);
});
