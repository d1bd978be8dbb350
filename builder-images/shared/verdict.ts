import type { Target } from '../../contract/builders.ts';
import { VerenError } from '../../contract/errors.ts';
import { type PublicationDecision, VerdictSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { Objects } from './object-calls.ts';

/** The artifact of a build, independent of the attempt that makes it. */
export interface Publication {
  readonly projectId: string;
  readonly deploymentId: string;
  readonly target: Target;
}

/** The publication decision; null while there is none. */
export async function readVerdict(objects: Objects, of: Publication): Promise<PublicationDecision['verdict'] | null> {
  const found = await objects.get(s3Keys.verdict(of.projectId, of.deploymentId, of.target));
  return found && VerdictSchema.parse(JSON.parse(found.body.toString())).verdict;
}

/**
 * Writes the decision to publish, right before an artifact becomes visible: afterwards the build can no longer be
 * canceled. It holds for every attempt, so it may be repeated. Throws DEPLOYMENT_CANCELED where the deployment was
 * canceled before. docs/decisions/control-cancel-fence.md
 */
export async function claimPublication(objects: Objects, of: Publication, now: () => number): Promise<void> {
  const key = s3Keys.verdict(of.projectId, of.deploymentId, of.target);
  const own: PublicationDecision = { v: 1, verdict: 'publish', at: new Date(now()).toISOString() };
  let verdict: PublicationDecision['verdict'] | null = null;
  // There is none, and yet it could not be written: another writer is about to write it.
  while (verdict === null) {
    if ((await objects.putIf(key, JSON.stringify(own), null)) !== null) return;
    verdict = await readVerdict(objects, of);
  }
  if (verdict === 'cancel') throw new VerenError('DEPLOYMENT_CANCELED');
}
