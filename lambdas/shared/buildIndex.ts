import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DEPLOYMENT_ID } from '../../contract/events.ts';
import type { Lane } from '../../contract/lanes.ts';
import { s3Keys } from '../../contract/names.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import type { S3Calls } from './adapters/aws/clients.ts';
import { openDocuments } from './documents.ts';

const BuildEntrySchema = z.object({ deploymentId: z.string().regex(DEPLOYMENT_ID) });

/** Which deployment of a project and lane was built from what. An entry may outlive its deployment. */
export interface BuildIndex {
  find(projectId: string, lane: Lane, buildKey: string): Promise<string | null>;
  /** Notes a deployment that has been built as a whole; others are left out. Safe to repeat. */
  note(record: DeploymentRecord): Promise<void>;
}

const keyOf = (projectId: string, lane: Lane, buildKey: string) =>
  `${s3Keys.builds(projectId)}${lane}/${createHash('sha256').update(buildKey).digest('hex')}.json`;

export function openBuildIndex(s3: S3Calls, bucket: string): BuildIndex {
  const documents = openDocuments(s3, bucket);
  return {
    async find(projectId, lane, buildKey) {
      return (await documents.read(keyOf(projectId, lane, buildKey), BuildEntrySchema))?.deploymentId ?? null;
    },
    async note({ deploymentId, projectId, status, outcome, sameAs, expired, plan }) {
      if (status !== 'succeeded' || outcome !== 'complete' || sameAs !== undefined || expired) return;
      if (!plan?.buildKey || !plan.lane) return;
      await documents.change(keyOf(projectId, plan.lane, plan.buildKey), BuildEntrySchema, (before) =>
        // Ids grow: an event that comes late does not put an older one in a newer one's place.
        before && before.deploymentId >= deploymentId ? before : { deploymentId },
      );
    },
  };
}
