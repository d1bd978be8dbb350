import { QUEUES } from '../../../contract/names.ts';
import type { NotificationJob } from '../../../contract/notifications.ts';
import type { FunctionWaker, JobQueue } from '../ports.ts';

/** Something that a project's addresses are told of. */
export type NoticeCause = Exclude<NotificationJob, { kind: 'send' }>;

/** The same for every function and every repeat that sees it: by it receivers know a repeat. */
export const noticeId = (cause: NoticeCause): string => {
  switch (cause.kind) {
    case 'deployment':
      return `${cause.deploymentId}-${cause.status}`;
    case 'release':
      return `release-${cause.releaseId}`;
    case 'test':
      return `test-${cause.notificationId}-${Date.parse(cause.at)}`;
  }
};

/** Asks for notices of what has happened. It may be called any number of times: it is one job. */
export async function queueNotice(
  deps: { readonly queue: JobQueue; readonly waker: FunctionWaker },
  data: NoticeCause,
): Promise<void> {
  const { projectId, owner } = data;
  if (await deps.queue.enqueue(QUEUES.notification, { id: noticeId(data), data, projectId, owner }))
    await deps.waker.wake('git-worker');
}
