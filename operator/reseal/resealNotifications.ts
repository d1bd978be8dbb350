import { PROJECTS_PREFIX } from '../../contract/names.ts';
import { ProjectDocumentSchema } from '../../contract/project.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { listObjects } from '../../lambdas/shared/listObjects.ts';
import { placeOfNoticeAddress } from '../../lambdas/shared/notifications/noticeAddress.ts';
import { isSealedWith, type SecretBox } from '../../lambdas/shared/secretBox.ts';

/**
 * Seals the addresses of notifications anew that an earlier key than the current one has sealed. A change that somebody
 * makes meanwhile is kept. Safe to repeat. @returns How many addresses were sealed.
 */
export async function resealNotifications(
  { s3, bucket, box }: { readonly s3: S3Calls; readonly bucket: string; readonly box: SecretBox },
  currentKey: string,
): Promise<number> {
  const documents = openDocuments(s3, bucket);
  let count = 0;
  for await (const { Key = '' } of listObjects(s3, bucket, PROJECTS_PREFIX)) {
    const project = await documents.read(Key, ProjectDocumentSchema);
    const anew = new Map<string, string>();
    for (const { id, sealed } of project?.notifications ?? [])
      if (!isSealedWith(sealed, currentKey)) {
        const place = placeOfNoticeAddress(project!.projectId, id);
        anew.set(sealed, await box.seal(await box.open(sealed, place), place));
      }
    if (anew.size === 0) continue;
    await documents.change(Key, ProjectDocumentSchema, (now) =>
      now?.notifications
        ? {
            ...now,
            notifications: now.notifications.map((one) => ({ ...one, sealed: anew.get(one.sealed) ?? one.sealed })),
          }
        : now,
    );
    count += anew.size;
  }
  return count;
}
