import { s3Keys } from '../../contract/names.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { placeOfApp, StoredAppSchema } from '../../lambdas/shared/gitHosts/app/appStore.ts';
import { listObjects } from '../../lambdas/shared/listObjects.ts';
import { isSealedWith, type SecretBox } from '../../lambdas/shared/secretBox.ts';

/** What is before and after the owner in the key of an App's document. */
const [PREFIX = '', SUFFIX = ''] = s3Keys.githubApp('\0').split(encodeURIComponent('\0'));

/**
 * Seals the secrets of owners' GitHub Apps anew that an earlier key than the current one has sealed. Safe to repeat.
 * @returns How many were sealed.
 */
export async function resealApps(
  { s3, bucket, box }: { readonly s3: S3Calls; readonly bucket: string; readonly box: SecretBox },
  currentKey: string,
): Promise<number> {
  const documents = openDocuments(s3, bucket);
  let count = 0;
  for await (const { Key = '' } of listObjects(s3, bucket, PREFIX)) {
    if (!Key.endsWith(SUFFIX)) continue;
    const stored = await documents.read(Key, StoredAppSchema);
    if (!stored || stored.forgotten || isSealedWith(stored.sealed, currentKey)) continue;
    const place = placeOfApp(decodeURIComponent(Key.slice(PREFIX.length, -SUFFIX.length)));
    const sealed = await box.seal(await box.open(stored.sealed, place), place);
    await documents.change(Key, StoredAppSchema, (now) => (now?.sealed === stored.sealed ? { ...now, sealed } : now));
    count++;
  }
  return count;
}
