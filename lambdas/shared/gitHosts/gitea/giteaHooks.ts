import { nothing } from '../deliveryParts.ts';
import type { HookHost } from '../hookHost.ts';
import { equalSecrets, hexSignature, isHubSigned } from '../hookSignature.ts';
import { readHubDeletion, readHubPullRequest, readHubPush, readHubRename } from '../hubPayload.ts';

const ACTIONS = new Map([
  ...['opened', 'synchronized', 'reopened', 'edited'].map((action) => [action, 'changed'] as const),
  ['closed', 'closed'] as const,
]);
/** Gitea and Forgejo know drafts by the beginning of their title. Source: their setting `WORK_IN_PROGRESS_PREFIXES`. */
const isWorkInProgress = (title: string) => /^\s*(wip:|\[wip\])/i.test(title);

/** Gitea and Forgejo. Source: Gitea documentation, "Webhooks". */
export const giteaHooks: HookHost = {
  isGenuine({ header, secret, body }) {
    const own = header('X-Gitea-Signature') ?? header('X-Forgejo-Signature');
    if (own !== undefined) return equalSecrets(own, hexSignature(secret, body));
    return isHubSigned(header('X-Hub-Signature-256'), secret, body);
  },
  deliveryId: (header) => header('X-Gitea-Delivery') ?? header('X-Forgejo-Delivery'),
  read(header, body) {
    const event = header('X-Gitea-Event') ?? header('X-Forgejo-Event') ?? '';
    if (event === 'push') return [readHubPush(body)];
    if (event === 'delete') return [readHubDeletion(body)];
    // Changes of labels, reviewers and the like have events of their own.
    if (event === 'pull_request' || event === 'pull_request_sync')
      return [readHubPullRequest(body, ACTIONS, isWorkInProgress)];
    if (event === 'repository') return [readHubRename(body)];
    return [nothing(`Nothing follows from the event "${event.slice(0, 100)}".`)];
  },
};
