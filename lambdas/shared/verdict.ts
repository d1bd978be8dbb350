import { type PublicationDecision, VerdictSchema } from '../../contract/manifest.ts';
import { s3Keys } from '../../contract/names.ts';
import type { BuildRef } from '../domain/events.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import type { Clock } from './ports.ts';
import { readSmallObject } from './readSmallObject.ts';

/**
 * Writes the publication decision that a build must not publish. Returns the decision that was written first and stays
 * valid for ever: `cancel`, or `publish` where the builder was first. Safe to repeat.
 * docs/decisions/control-cancel-fence.md
 */
export type ForbidPublication = (build: Omit<BuildRef, 'attempt'>) => Promise<PublicationDecision['verdict']>;

/**
 * Another writer of the same key was at work at the same moment: S3 asks to try again. Source: S3 user guide,
 * "Conditional writes".
 */
const MAX_CONFLICTS = 5;
const MAX_VERDICT_BYTES = 64 * 1024;

export function forbidPublication(deps: { s3: S3Calls; bucket: string; clock: Clock }): ForbidPublication {
  const { s3, bucket: Bucket, clock } = deps;
  return async ({ projectId, deploymentId, target }) => {
    const Key = s3Keys.verdict(projectId, deploymentId, target);
    const verdict: PublicationDecision = { v: 1, verdict: 'cancel', at: new Date(clock.now()).toISOString() };
    const put = { Bucket, Key, Body: JSON.stringify(verdict), ContentType: 'application/json', IfNoneMatch: '*' };
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    for (let conflicts = 0; ; conflicts++)
      try {
        await s3.send(new PutObjectCommand(put));
        return 'cancel';
      } catch (e) {
        const { name } = e as Error;
        if (name === 'ConditionalRequestConflict' && conflicts < MAX_CONFLICTS) continue;
        if (name !== 'PreconditionFailed') throw e;
        const known = await readSmallObject(
          s3,
          { Bucket, Key },
          { schema: VerdictSchema, maxBytes: MAX_VERDICT_BYTES },
        );
        // A build that has written anything else there has not decided, and must not escape its cancellation by it.
        return known.kind === 'read' ? known.value.verdict : 'cancel';
      }
  };
}
