import type { Evidence } from '../../../../contract/plan.ts';

/** What was decided for one target and why, collected as the rules run. */
export class Findings {
  readonly evidence: Evidence[] = [];
  readonly warnings: string[] = [];

  /** Records why `field` is `value`, and answers the value. */
  because<T>(field: string, value: T, rule: string, file?: string): T {
    this.evidence.push({ field, value: String(value), rule, ...(file === undefined ? {} : { file }) });
    return value;
  }

  /** Another reason takes the place of those recorded for the field. */
  replace(field: string, value: unknown, rule: string, file?: string): void {
    for (let i = this.evidence.length - 1; i >= 0; i--)
      if (this.evidence[i]!.field === field) this.evidence.splice(i, 1);
    this.because(field, value, rule, file);
  }

  warn(sentence: string): void {
    if (!this.warnings.includes(sentence)) this.warnings.push(sentence);
  }
}
