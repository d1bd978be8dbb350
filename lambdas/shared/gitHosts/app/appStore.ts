import { z } from 'zod';
import { type GithubApp, GithubAppSchema } from '../../../../contract/githubApp.ts';
import { s3Keys } from '../../../../contract/names.ts';
import type { Documents } from '../../documents.ts';
import type { SecretBox, SecretPlace } from '../../secretBox.ts';

/** As it is stored: the key and the webhook's secret, sealed as one. GitHub's client secret is not kept, since nothing needs it. */
export const StoredAppSchema = GithubAppSchema.extend({
  v: z.literal(1),
  /** Beginning of its API. */
  apiUrl: z.url(),
  sealed: z.string(),
  /** It was forgotten; the document stays, since documents are not removed. */
  forgotten: z.boolean().optional(),
});
export type StoredApp = z.infer<typeof StoredAppSchema>;

const AppSecretsSchema = z.object({
  /** PEM. Signs what the App says of itself. */
  privateKey: z.string(),
  /** Signs deliveries of the App. */
  webhook: z.string(),
});
export type AppSecrets = z.infer<typeof AppSecretsSchema>;

export interface OwnerApp extends GithubApp {
  readonly apiUrl: string;
  /** Throws SECRETS_UNREADABLE. */
  readonly secrets: () => Promise<AppSecrets>;
}

/** GitHub Apps, one of an owner. */
export interface AppStore {
  read(owner: string): Promise<OwnerApp | null>;
  /** False where the owner has one. */
  create(owner: string, app: GithubApp & { readonly apiUrl: string }, secrets: AppSecrets): Promise<boolean>;
  /** False where the owner has none. */
  forget(owner: string): Promise<boolean>;
}

export const placeOfApp = (owner: string): SecretPlace => ({ owner, field: 'github app' });

export function openAppStore(documents: Documents, box: Pick<SecretBox, 'open' | 'seal'>): AppStore {
  return {
    async read(owner) {
      const stored = await documents.read(s3Keys.githubApp(owner), StoredAppSchema);
      if (!stored || stored.forgotten) return null;
      const { v: _v, sealed, forgotten: _f, ...app } = stored;
      const secrets = async () => AppSecretsSchema.parse(JSON.parse(await box.open(sealed, placeOfApp(owner))));
      return { ...app, secrets };
    },
    async create(owner, app, secrets) {
      const sealed = await box.seal(JSON.stringify(secrets), placeOfApp(owner));
      const made: StoredApp = { ...app, v: 1, sealed };
      const kept = await documents.change(s3Keys.githubApp(owner), StoredAppSchema, (before) =>
        before && !before.forgotten ? before : made,
      );
      return kept === made;
    },
    async forget(owner) {
      let isFound = false;
      await documents.change(s3Keys.githubApp(owner), StoredAppSchema, (before) => {
        isFound = before !== null && !before.forgotten;
        return before && isFound ? { ...before, sealed: '', forgotten: true } : before;
      });
      return isFound;
    },
  };
}
