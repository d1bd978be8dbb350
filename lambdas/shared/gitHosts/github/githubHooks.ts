import { nothing } from '../deliveryParts.ts';
import type { HookHost } from '../hookHost.ts';
import { isHubSigned } from '../hookSignature.ts';
import { readHubPullRequest, readHubPush, readHubRename } from '../hubPayload.ts';

const ACTIONS = new Map([
  ...['opened', 'synchronize', 'reopened', 'ready_for_review'].map((action) => [action, 'changed'] as const),
  ['closed', 'closed'] as const,
]);

/** Source: GitHub documentation, "Webhook events and payloads", "Validating webhook deliveries". */
export const githubHooks: HookHost = {
  isGenuine: ({ header, secret, body }) => isHubSigned(header('X-Hub-Signature-256'), secret, body),
  deliveryId: (header) => header('X-GitHub-Delivery'),
  read(header, body) {
    const event = header('X-GitHub-Event') ?? '';
    if (event === 'push') return [readHubPush(body)];
    if (event === 'pull_request') return [readHubPullRequest(body, ACTIONS)];
    if (event === 'repository') return [readHubRename(body)];
    if (event === 'ping') return [nothing('The hook works.')];
    return [nothing(`Nothing follows from the event "${event.slice(0, 100)}".`)];
  },
};
