import { REQUEST_RULE, type TargetPlan } from '../../../../contract/plan.ts';
import type { Findings } from './findings.ts';
import type { Forced } from './language.ts';

/** What the request fixes replaces what was found, and the evidence says so. An empty command: nothing is run. */
export function withOverrides(plan: TargetPlan, forced: Forced, findings: Findings): TargetPlan {
  const changes: Partial<TargetPlan> = {};
  const { runtime, ...fields } = forced;
  // Which version fits is the language's to say, and it has seen the wish.
  if (runtime) findings.replace('runtime', [runtime.name, runtime.version].filter(Boolean).join(' '), REQUEST_RULE);
  for (const [field, value] of Object.entries(fields) as [
    keyof typeof fields,
    (typeof fields)[keyof typeof fields],
  ][]) {
    if (value === undefined) continue;
    findings.replace(field, value, REQUEST_RULE);
    Object.assign(changes, { [field]: value === '' ? null : value });
  }
  return { ...plan, ...changes, evidence: findings.evidence };
}
