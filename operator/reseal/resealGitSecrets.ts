import { GIT_PREFIX, s3Keys } from '../../contract/names.ts';
import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import {
  placeOfGitSecret,
  type StoredGitSecrets,
  StoredGitSecretsSchema,
} from '../../lambdas/shared/gitHosts/gitSecrets.ts';
import { listObjects } from '../../lambdas/shared/listObjects.ts';
import { isSealedWith, type SecretBox } from '../../lambdas/shared/secretBox.ts';

/**
 * Seals the secrets of git hosts anew that an earlier key than the current one has sealed. A change that somebody makes
 * meanwhile is kept. Safe to repeat. @returns How many secrets were sealed.
 */
export async function resealGitSecrets(
  { s3, bucket, box }: { readonly s3: S3Calls; readonly bucket: string; readonly box: SecretBox },
  currentKey: string,
): Promise<number> {
  const documents = openDocuments(s3, bucket);
  let count = 0;
  for await (const { Key = '' } of listObjects(s3, bucket, GIT_PREFIX)) {
    const [projectId = ''] = Key.slice(GIT_PREFIX.length).split('/');
    if (Key !== s3Keys.gitSecrets(projectId)) continue;
    const stored = await documents.read(Key, StoredGitSecretsSchema);
    if (!stored) continue;
    const anew = new Map<string, string>();
    for (const [name, sealed] of listSealed(stored))
      if (!isSealedWith(sealed, currentKey)) {
        const place = placeOfGitSecret(projectId, name);
        anew.set(sealed, await box.seal(await box.open(sealed, place), place));
      }
    if (anew.size === 0) continue;
    const replaced = (sealed: string) => anew.get(sealed) ?? sealed;
    await documents.change(Key, StoredGitSecretsSchema, (now) =>
      now === null
        ? null
        : {
            ...now,
            ...(now.webhook !== undefined && { webhook: replaced(now.webhook) }),
            ...(now.token !== undefined && { token: replaced(now.token) }),
            ...(now.formerWebhook && {
              formerWebhook: { ...now.formerWebhook, sealed: replaced(now.formerWebhook.sealed) },
            }),
          },
    );
    count += anew.size;
  }
  return count;
}

const listSealed = ({ webhook, formerWebhook, token }: StoredGitSecrets): [name: string, sealed: string][] => [
  ...(webhook === undefined ? [] : [['webhook', webhook] as [string, string]]),
  ...(formerWebhook ? [['webhook', formerWebhook.sealed] as [string, string]] : []),
  ...(token === undefined ? [] : [['token', token] as [string, string]]),
];
