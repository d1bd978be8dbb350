import { z } from 'zod';

/**
 * IAM policies as far as session policies of builds need them: Allow and Deny, `Action`, `Resource` with `*` and `?`,
 * and string conditions. An unknown element is refused when the policy is read, never ignored.
 * Source: IAM user guide, "JSON policy element reference" and "Policy evaluation logic".
 */
const oneOrMany = z.union([z.string(), z.array(z.string()).min(1)]).transform((v) => (Array.isArray(v) ? v : [v]));
const OPERATORS = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'] as const;
const operator = z.enum([...OPERATORS, ...OPERATORS.map((o) => `${o}IfExists` as const)]);

const StatementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany,
  Resource: oneOrMany,
  Condition: z.partialRecord(operator, z.record(z.string(), oneOrMany)).optional(),
});

export const PolicySchema = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.union([StatementSchema, z.array(StatementSchema).min(1)]).transform((v) => (Array.isArray(v) ? v : [v])),
});
export type Policy = z.infer<typeof PolicySchema>;

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the request, e.g. `s3:prefix`; an absent key fails every condition but the `…IfExists` ones. */
  readonly context?: Readonly<Record<string, string>>;
}

const patterns = new Map<string, RegExp>();

/** `*` is any run of characters (`/` too), `?` is one; everything else stands for itself. */
function matchesPattern(pattern: string, value: string, flags: '' | 'i'): boolean {
  const key = flags + pattern;
  let regexp = patterns.get(key);
  if (!regexp) {
    // Several `*` in a row become one, since a hostile policy could make the expression backtrack for ever.
    const source = pattern
      .replace(/\*+/g, '*')
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '[^]*')
      .replace(/\?/g, '[^]');
    regexp = new RegExp(`^${source}$`, flags);
    if (patterns.size > 1_000) patterns.clear();
    patterns.set(key, regexp);
  }
  return regexp.test(value);
}

function conditionHolds(name: string, wanted: readonly string[], actual: string | undefined): boolean {
  const ifExists = name.endsWith('IfExists');
  const base = ifExists ? name.slice(0, -'IfExists'.length) : name;
  const negative = base.startsWith('StringNot');
  if (actual === undefined) return ifExists || negative;
  const hit = wanted.some((w) => (base.endsWith('Like') ? matchesPattern(w, actual, '') : w === actual));
  return hit !== negative;
}

/**
 * Denied by default; an Allow permits, and a Deny overrides every Allow. Without a policy the role's own rights apply.
 */
export function isAllowed(policy: Policy | undefined, request: AccessRequest): boolean {
  if (!policy) return true;
  const applying = policy.Statement.filter(
    (s) =>
      s.Action.some((a) => matchesPattern(a, request.action, 'i')) &&
      s.Resource.some((r) => matchesPattern(r, request.resource, '')) &&
      Object.entries(s.Condition ?? {}).every(([name, keys]) =>
        Object.entries(keys ?? {}).every(([key, wanted]) => conditionHolds(name, wanted, request.context?.[key])),
      ),
  );
  return applying.some((s) => s.Effect === 'Allow') && !applying.some((s) => s.Effect === 'Deny');
}
