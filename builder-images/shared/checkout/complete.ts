import { join } from 'node:path';
import type { Checkout, CheckoutContext } from './context.ts';
import { fetchLargeFiles } from './lfs.ts';
import { policyForNamed } from './policy.ts';
import { fetchSubmodules } from './submodules.ts';

/**
 * Fetches what the commit itself does not contain: submodules, and the files of Git LFS of the repository and its
 * submodules. Throws SUBMODULE_FAILED or LFS_FAILED, or the signal's reason.
 */
export async function completeCheckout(input: Omit<CheckoutContext, 'policy'>): Promise<void> {
  const { raw, work } = input;
  const context: CheckoutContext = { ...input, policy: policyForNamed(raw.GIT_ALLOW_PROTOCOL || 'https') };
  const main: Checkout = { folder: join(work, 'source'), name: '.', url: raw.GIT_REPOSITORY__URL! };
  const modules = raw.GIT_SUBMODULES === '1' ? await fetchSubmodules(context, main) : [];
  if (raw.GIT_LFS === '1') await fetchLargeFiles(context, [main, ...modules]);
}
