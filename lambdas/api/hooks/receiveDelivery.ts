import { createHash, randomBytes } from 'node:crypto';
import { VerenError } from '../../../contract/errors.ts';
import type { DeliveryAnswer } from '../../../contract/gitApi.ts';
import type { DeliveryJob, GitDelivery, GitHost } from '../../../contract/gitHosts.ts';
import { QUEUES } from '../../../contract/names.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { type HookHeader, hookHost } from '../../shared/gitHosts/hookHost.ts';
import type { ApiDeps } from '../deps.ts';
import { parseDelivery } from './parseBody.ts';

export type HookDeps = Pick<ApiDeps, 'projects' | 'queue' | 'waker' | 'clock' | 'log'>;
type Deps = HookDeps & Pick<ApiDeps, 'gitSecrets'>;

interface ReceivedHook {
  readonly host: GitHost;
  readonly projectId: string;
  readonly header: HookHeader;
  readonly body: Uint8Array;
}

/** What a delivery for no project is compared with, so that its answer takes as long. */
export const NOBODY = randomBytes(32).toString('base64url');

/**
 * Checks a delivery and enqueues what it says; git-worker does what follows. Throws HOOK_REFUSED for one that is not
 * genuine: its answer does not depend on whether there is such a project.
 */
export async function receiveDelivery(deps: Deps, hook: ReceivedHook): Promise<DeliveryAnswer> {
  const { host, projectId, header, body } = hook;
  const project = await deps.projects.get(projectId);
  const secrets = await deps.gitSecrets.read(project ?? { projectId, addressKey: '' });
  const now = deps.clock.now();
  const { webhook, formerWebhook: former } = secrets;
  const valid = [webhook, former && Date.parse(former.until) > now ? former.secret : undefined];
  const adapter = hookHost(host);
  // Both are compared in any case.
  const genuine = valid.map((secret) => {
    const isGenuine = adapter.isGenuine({ header, secret: secret ?? NOBODY, body, now });
    return secret !== undefined && isGenuine;
  });
  const isConnected = project !== null && !project.deleting && project.settings.connection?.host === host;
  if (!genuine.includes(true) || !isConnected) throw new VerenError('HOOK_REFUSED');
  const read = adapter.read(header, parseDelivery(body));
  return answerOf(read, await enqueueDeliveries(deps, project, hook, read));
}

/** @returns How many follow for the project */
export async function enqueueDeliveries(
  deps: HookDeps,
  { projectId, owner }: Pick<ProjectDocument, 'projectId' | 'owner'>,
  { host, header, body }: Pick<ReceivedHook, 'host' | 'header' | 'body'>,
  read: readonly GitDelivery[],
): Promise<number> {
  const now = deps.clock.now();
  const adapter = hookHost(host);
  const deliveries = read.filter(({ kind }) => kind !== 'nothing');
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const period = Math.floor(now / REPEAT_MS);
  for (const [i, delivery] of deliveries.entries()) {
    const id = jobId([host, projectId, adapter.deliveryId(header) ?? '', bodyHash, i, period]);
    const data: DeliveryJob = { projectIds: [projectId], owner, host, delivery, receivedAt: now };
    await deps.queue.enqueue(QUEUES.delivery, { id, data, owner, projectId });
  }
  if (deliveries.length > 0) await deps.waker.wake('git-worker');
  deps.log.info('A delivery was received', { projectId, host, deliveries: deliveries.length });
  return deliveries.length;
}

/** A repeat within this time is the same delivery; a later one was asked for, by "Redeliver" (ms). */
const REPEAT_MS = 5 * 60_000;

const jobId = (of: readonly (string | number)[]) => createHash('sha256').update(JSON.stringify(of)).digest('hex');

export function answerOf([first]: readonly GitDelivery[], accepted: number): DeliveryAnswer {
  if (accepted > 0) return { status: 'accepted', message: 'What follows from it is done in a moment.' };
  return { status: 'ignored', message: first?.kind === 'nothing' ? first.reason : 'Nothing follows from it.' };
}
