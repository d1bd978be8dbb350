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
  const { runtime, ...fields } = forced;
  // Which version fits is the language's to say, and it has seen the wish.
  if (runtime) {
    const { rule, file } = sourceOf('runtime');
    findings.replace('runtime', [runtime.name, runtime.version].filter(Boolean).join(' '), rule, file);
  }
  for (const [field, value] of Object.entries(fields) as [
    keyof typeof fields,
    (typeof fields)[keyof typeof fields],
  ][]) {
    if (value === undefined) continue;
    const { rule, file } = sourceOf(field);
    findings.replace(field, value, rule, file);
    Object.assign(changes, { [field]: value === '' ? null : value });
  }
  return { ...plan, ...changes, evidence: findings.evidence };
}
