import { VerenError } from '../../../contract/errors.ts';
import type { GitDelivery } from '../../../contract/gitHosts.ts';
import type { RemoteTip, TipInput } from '../../shared/repo/readTip.ts';
import type { GitWorkerDeps } from '../deps.ts';

export type RefDelivery = Extract<GitDelivery, { kind: 'push' | 'pullRequest' }>;

/** How often a host is asked that refuses: now and then they refuse what they answer a moment later. */
const MAX_ASKED = 5;
/** How long after a delivery its host may not show yet what it has told (ms). */
const LAG_MS = 30_000;

/** How far the following of a delivery is. */
export interface Patience {
  /** From 1. */
  readonly attempt: number;
  /** How long ago the delivery came (ms). */
  readonly ageMs: number;
}

/** Throws, so that the delivery is followed again, while the host may yet show something else. */
export function waitForHost({ ageMs }: Patience): void {
  if (ageMs < LAG_MS) throw new Error('The git host does not show yet what it has told');
}

/** Where the ref is now. Undefined where the repository could not be read, however often it was asked. */
export async function askTip(
  { readTip }: Pick<GitWorkerDeps, 'readTip'>,
  input: TipInput,
  { attempt }: Patience,
): Promise<RemoteTip | undefined> {
  try {
    return await readTip(input);
  } catch (cause) {
    if (!(cause instanceof VerenError && cause.row.fault === 'user')) throw cause;
    if (attempt < MAX_ASKED) throw new Error('The git host refuses to be read', { cause });
    return undefined;
  }
}

/** What is to be deployed, as far as the host shows it; or why nothing is. */
export type Chosen = { readonly commit: string; readonly isUnseen?: boolean } | { readonly reason: string };

/**
 * The commit to deploy. What the host shows decides: a push whose commit it does not show stands for what its branch or tag
 * points at, and a pull request's newer commit has a delivery of its own. Where nothing can be read, or nothing says
 * whether the branch is that of production, own refs are deployed unseen. Throws while the host may be behind.
 * @param isPlaced The environment is known.
 */
export function chooseCommit(
  delivery: RefDelivery,
  tip: RemoteTip | undefined,
  { isPlaced, ...patience }: Patience & { readonly isPlaced: boolean },
): Chosen {
  const { commit: named } = delivery;
  if (named === null) return { reason: 'No commit is known.' };
  const isShown = tip?.commit?.startsWith(named) ?? false;
  if (!isShown) waitForHost(patience);
  if (tip?.commit === null) return { reason: 'The branch or tag is not there any more.' };
  if (tip && !isShown && delivery.kind === 'pullRequest') return { reason: 'It is not the newest commit any more.' };
  if (tip?.commit && isPlaced) return { commit: tip.commit };
  if (delivery.kind === 'pullRequest' && delivery.isFork) return { reason: 'The fork cannot be read.' };
  return { commit: named, isUnseen: true };
}
