import type { HeaderRule } from './headerRules.ts';
import type { RedirectRule } from './redirectRules.ts';

/** When a site's rules have a say (`rules` of its manifest and its route). */
export const RULE_ORDERS = ['first', 'after'] as const;
export type RuleOrder = (typeof RULE_ORDERS)[number];

/**
 * `first`: rules that go before a file, or add headers to it. `after`: rules only for paths without a file. Undefined: no
 * rule at all.
 */
export function ruleOrderOf(rules: {
  readonly redirects: readonly RedirectRule[];
  readonly headers: readonly HeaderRule[];
}): RuleOrder | undefined {
  if (rules.headers.some(({ headers }) => headers.length > 0) || rules.redirects.some(({ force }) => force))
    return 'first';
  return rules.redirects.length > 0 ? 'after' : undefined;
}
