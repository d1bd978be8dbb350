import { z } from 'zod';
import { s3Keys } from '../../../contract/names.ts';
import type { Documents } from '../documents.ts';
import type { SecretBox, SecretPlace } from '../secretBox.ts';
import type { HostToken } from './hostToken.ts';
import { openProjectDocuments, type ProjectIdentity } from './projectDocuments.ts';

/** What a project shares with its git host, in clear text. Never logged, never answered. */
export interface GitSecrets {
  /** Signs the host's deliveries, or is sent with them where the host does not sign. */
  readonly webhook?: string | undefined;
  /** The secret before it, which holds until then (ISO), so that changing it loses no delivery. */
  readonly formerWebhook?: { readonly secret: string; readonly until: string } | undefined;
  /** Writes statuses and comments, and reads a private repository. */
  readonly token?: HostToken | undefined;
}

export interface GitSecretStore {
  /** Empty where nothing is stored. Throws SECRETS_UNREADABLE. */
  read(project: ProjectIdentity): Promise<GitSecrets>;
  /** Replaces what is named, as one step against other changes; null removes it, absent leaves it. */
  change(project: ProjectIdentity, change: { readonly [K in keyof GitSecrets]?: GitSecrets[K] | null }): Promise<void>;
}

export const StoredGitSecretsSchema = z.looseObject({
  v: z.literal(1),
  webhook: z.string().optional(),
  formerWebhook: z.object({ sealed: z.string(), until: z.iso.datetime() }).optional(),
  token: z.string().optional(),
});
export type StoredGitSecrets = z.infer<typeof StoredGitSecretsSchema>;

/** What is sealed as the token: its origins cannot be changed without it. */
const HostTokenSchema = z.object({ secret: z.string(), origins: z.array(z.string()) });

/** Undefined for another form. No error says what the text was, since it is secret. */
function readHostToken(text: string): HostToken | undefined {
  try {
    return HostTokenSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** No variable of a project has such a name, so neither can be read as the other. */
export const placeOfGitSecret = (projectId: string, name: string): SecretPlace => ({
  projectId,
  variable: `git ${name}`,
  readers: [],
});

/** Secrets of git connections, sealed, one document per project (`s3Keys.gitSecrets`). */
export function openGitSecrets({ documents, box }: { documents: Documents; box: SecretBox }): GitSecretStore {
  const owned = openProjectDocuments(documents);
  return {
    async read(project) {
      const { projectId } = project;
      const stored = await owned.read(project, s3Keys.gitSecrets(projectId), StoredGitSecretsSchema);
      if (!stored) return {};
      const open = (sealed: string | undefined, name: string) =>
        sealed === undefined ? undefined : box.open(sealed, placeOfGitSecret(projectId, name));
      const { formerWebhook: former } = stored;
      const [webhook, formerSecret, token] = await Promise.all([
        open(stored.webhook, 'webhook'),
        open(former?.sealed, 'webhook'),
        open(stored.token, 'token'),
      ]);
      const formerWebhook =
        former && formerSecret !== undefined ? { secret: formerSecret, until: former.until } : undefined;
      return {
        webhook,
        formerWebhook,
        token: token === undefined ? undefined : readHostToken(token),
      };
    },
    async change(project, { webhook, formerWebhook, token }) {
      const { projectId } = project;
      const seal = (secret: string, name: string) => box.seal(secret, placeOfGitSecret(projectId, name));
      const sealed: { [K in keyof StoredGitSecrets]?: StoredGitSecrets[K] | null } = {
        ...(webhook !== undefined && { webhook: webhook === null ? null : await seal(webhook, 'webhook') }),
        ...(formerWebhook !== undefined && {
          formerWebhook: formerWebhook && {
            sealed: await seal(formerWebhook.secret, 'webhook'),
            until: formerWebhook.until,
          },
        }),
        ...(token !== undefined && { token: token === null ? null : await seal(JSON.stringify(token), 'token') }),
      };
      await owned.change(project, s3Keys.gitSecrets(projectId), StoredGitSecretsSchema, (before) => {
        const after = { ...(before ?? {}), ...sealed, v: 1 };
        return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== null)) as StoredGitSecrets;
      });
    },
  };
}
