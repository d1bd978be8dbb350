import { REQUEST_RULE, type TargetPlan } from '../../../../contract/plan.ts';
import type { Findings } from './findings.ts';
import type { Forced } from './language.ts';

/** What the request fixes replaces what was found, and the evidence says so. An empty command: nothing is run. */
export function withOverrides(plan: TargetPlan, forced: Forced, findings: Findings): TargetPlan {
  const changes: Partial<TargetPlan> = {};
  for (const [field, value] of Object.entries(forced) as [keyof Forced, Forced[keyof Forced]][]) {
    if (value === undefined) continue;
    findings.replace(field, value, REQUEST_RULE);
    Object.assign(changes, { [field]: value === '' ? null : value });
  }
  return { ...plan, ...changes, evidence: findings.evidence };
}
