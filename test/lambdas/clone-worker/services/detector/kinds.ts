import { readFileSync } from 'node:fs';
import type { Plan } from '../../../../../contract/plan.ts';
import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import type { DetectRequest } from '../../../../../lambdas/clone-worker/services/detector/detectRequest.ts';
import { type MemoryEntry, memoryFs } from '../../../../support/memoryFs.ts';

/** One thing that must hold of a plan, as the files of `test/fixtures/detection` write it. */
export interface Check {
  readonly where: 'frontend' | 'backend' | 'any' | 'plan';
  readonly field: string;
  readonly op?: 'equiv' | 'regex' | 'notRegex' | 'notIn';
  readonly want: readonly unknown[];
  readonly level: 'strict' | 'soft';
}
export interface KindCase {
  readonly id: string;
  readonly tree: Readonly<Record<string, MemoryEntry>>;
  readonly request?: Partial<DetectRequest>;
  readonly checks: readonly Check[];
  readonly note?: string;
}
export type Kinds = Readonly<Record<string, readonly KindCase[]>>;

export const readKinds = (file: string): Kinds => JSON.parse(readFileSync(file, 'utf8')) as Kinds;

interface Outcome {
  readonly plan?: Omit<Plan, 'commit'>;
  readonly error?: { readonly code: string; readonly message: string };
}

export async function detectCase({ tree, request }: KindCase): Promise<Outcome> {
  try {
    const plan = await detectProjectType(memoryFs(tree), { today: '2026-11-27', maxFileBytes: 1_048_576, ...request });
    return { plan };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    return { error: { code, message } };
  }
}

/** The checks of a case that fail, as sentences. */
export const failedChecks = (outcome: Outcome, checks: readonly Check[]): string[] =>
  checks
    .filter(({ level }) => level === 'strict')
    .flatMap((check) => {
      const got = readField(outcome, check);
      const { where, field, op = 'is', want } = check;
      return holds(got, check) ? [] : [`${where} ${field} ${op} ${JSON.stringify(want)}, got ${JSON.stringify(got)}`];
    });

function holds(got: unknown, { op, want }: Check): boolean {
  if (op === 'notIn') return !want.includes(got);
  if (op === 'regex' || op === 'notRegex') {
    const texts = (Array.isArray(got) ? got : [got]).map(String);
    const matches = texts.some((text) => want.some((pattern) => new RegExp(String(pattern), 'i').test(text)));
    return matches === (op === 'regex');
  }
  if (op === 'equiv') return want.some((wanted) => isSameCommand(got, wanted));
  return want.includes(got);
}

/** `~x`: holds x. Else the same but for `cd … &&`, `npx` and `run`. */
function isSameCommand(got: unknown, wanted: unknown): boolean {
  if (typeof got !== 'string' || typeof wanted !== 'string') return got === wanted;
  const plain = (line: string) =>
    line
      .replace(/^cd \S+ && /, '')
      .replace(/\b(?:npx|pnpm exec|bunx|run) /g, '')
      .trim();
  return wanted.startsWith('~') ? got.includes(wanted.slice(1)) : plain(got) === plain(wanted);
}

function readField({ plan, error }: Outcome, { where, field }: Check): unknown {
  if (field === 'error') return error?.code ?? null;
  if (field === 'refuseOrWarn') return error ? [error.message] : plan!.warnings;
  const target = where === 'any' ? (plan?.frontend ?? plan?.backend) : where === 'plan' ? undefined : plan?.[where];
  if (field === 'present') return target !== undefined;
  if (target === undefined) return null;
  if (field === 'rendering') {
    const said = target.evidence.find((row) => row.field === 'rendering')?.value;
    return said ?? (target === plan?.backend ? 'server' : 'static');
  }
  if (field === 'packageManager.name') return target.packageManager?.name ?? null;
  if (field === 'output')
    return [target.path, target.outputDirectory ?? ''].filter((part) => part !== '' && part !== '.').join('/') || '.';
  return (target as unknown as Record<string, unknown>)[field] ?? null;
}
