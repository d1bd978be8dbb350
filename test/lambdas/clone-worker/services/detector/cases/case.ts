import type { ErrorCode } from '../../../../../../contract/errors.ts';
import type { TargetPlan } from '../../../../../../contract/plan.ts';
import type { DetectRequest } from '../../../../../../lambdas/clone-worker/services/detector/detectRequest.ts';
import type { MemoryEntry } from '../../../../../support/memoryFs.ts';

/** A tiny tree and what must come of it. What is not named is not compared; `null` means that the target is absent. */
export interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, MemoryEntry>>;
  readonly request?: Partial<DetectRequest>;
  readonly frontend?: Partial<TargetPlan> | null;
  readonly backend?: Partial<TargetPlan> | null;
  readonly error?: { readonly code: ErrorCode; readonly says?: RegExp };
  /** Each must be among the warnings; an empty list: there must be none. */
  readonly warns?: readonly RegExp[];
  /** Evidence that must be given: field and the file that decided. */
  readonly because?: readonly (readonly [field: string, file: string | undefined])[];
  /** Where peers disagree: whom this follows, and why. */
  readonly follows?: string;
}

export const pkg = (fields: Readonly<Record<string, unknown>> = {}): string => JSON.stringify(fields);

/** A Vite page with nothing else said: what a case about versions or package managers hangs its files on. */
export const vite = (fields: Readonly<Record<string, unknown>> = {}) => ({
  'package.json': pkg({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7.0.0' }, ...fields }),
  'index.html': '<div id="root"></div>',
});
