import { DELETIONS_PREFIX, s3Keys } from '../../../contract/names.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { listObjects } from '../listObjects.ts';
import { keyRemover } from '../removeObjects.ts';

/** How long a deletion can be taken back, where nothing else is configured: a week. */
export const DELETION_GRACE_MS = 7 * 24 * 3_600_000;

/** Notes that a project is being deleted, so that the sweep need not look at every project. */
export type NoteDeletion = (projectId: string) => Promise<void>;

export const deletionNoter =
  (s3: S3Calls, Bucket: string): NoteDeletion =>
  async (projectId) => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    await s3.send(new PutObjectCommand({ Bucket, Key: s3Keys.deletion(projectId), Body: '' }));
  };

/** Projects that were noted, in order. A note may outlive its deletion, and then it is dropped. */
export async function* listDeletions(s3: S3Calls, bucket: string): AsyncGenerator<string> {
  for await (const { Key = '' } of listObjects(s3, bucket, DELETIONS_PREFIX)) yield Key.slice(DELETIONS_PREFIX.length);
}

export const dropDeletion = (s3: S3Calls, bucket: string, projectId: string): Promise<void> =>
  keyRemover(s3, bucket)([s3Keys.deletion(projectId)]);
