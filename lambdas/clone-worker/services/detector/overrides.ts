import type { TargetPlan } from '../../../../contract/plan.ts';
import type { Findings } from './findings.ts';
import type { Forced } from './language.ts';
import type { SourceOf } from './settings/applySettings.ts';

/**
 * What the request or a settings file fixes replaces what was found, and the evidence says which. An empty command:
 * nothing is run.
 */
export function withOverrides(plan: TargetPlan, forced: Forced, findings: Findings, sourceOf: SourceOf): TargetPlan {
  const changes: Partial<TargetPlan> = {};
  for (const [field, value] of Object.entries(forced) as [keyof Forced, Forced[keyof Forced]][]) {
    if (value === undefined) continue;
    const { rule, file } = sourceOf(field);
    findings.replace(field, value, rule, file);
    Object.assign(changes, { [field]: value === '' ? null : value });
  }
  return { ...plan, ...changes, evidence: findings.evidence };
}
