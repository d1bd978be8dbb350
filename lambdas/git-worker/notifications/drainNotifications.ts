import { VerenError } from '../../../contract/errors.ts';
import { QUEUES } from '../../../contract/names.ts';
import {
  type NoticeType,
  type NotificationJob,
  NotificationJobSchema,
  type StoredNotification,
} from '../../../contract/notifications.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { HostBusyError } from '../../shared/gitHosts/askHost.ts';
import { openNoticeAddress } from '../../shared/notifications/noticeAddress.ts';
import { type NoticeCause, noticeId } from '../../shared/notifications/queueNotice.ts';
import type { ClaimedJob, Limits } from '../../shared/ports.ts';
import { DONE, drainSends, pauseOf, type Sends, type Sent, withJitter } from '../drainSends.ts';
import type { NotificationDeps } from './deps.ts';
import { describeNotice } from './describeNotice.ts';
import { changeNotification, clearNoticeFault, noteNoticeFault } from './noticeFault.ts';
import { postNotice } from './postNotice.ts';
import { slackMessage } from './slackMessage.ts';

/** Longer than one call may take. */
const LEASE_MS = 60_000;
/** An outage of an address is met by one call at a time, and no owner's addresses hold up those of others. */
const LIMITS: Limits = { global: 1_000, perOwner: 2, perProject: 1 };

type SendJob = Extract<NotificationJob, { kind: 'send' }>;

/**
 * Tells projects' addresses what has happened. Safe to run in several processes.
 * @returns True where no job was left that is due.
 */
export const drainNotifications = (deps: NotificationDeps, mayTakeMore: () => boolean = () => true): Promise<boolean> =>
  drainSends(deps, notifications(deps), mayTakeMore);

const notifications = (deps: NotificationDeps): Sends<NotificationJob> => ({
  ...{ queue: QUEUES.notification, schema: NotificationJobSchema, what: 'A notification' },
  ...{ leaseMs: LEASE_MS, limits: LIMITS },
  send: (_job, data) => (data.kind === 'send' ? sendNotice(deps, data) : enqueueNotices(deps, data)),
  pauseAfter: (job, data, error) => pauseAfter(deps, job, data, error),
  async noteGivenUp(data, error) {
    if (data.kind !== 'send' || !(error instanceof HostBusyError)) return;
    const { host, message: reason } = error;
    await noteNoticeFault(deps, data, ({ name }) => new VerenError('NOTIFICATION_UNANSWERED', { name, host, reason }));
  },
});

/** One job for each address, so that none waits for another and none is told twice for another's sake. */
async function enqueueNotices(deps: NotificationDeps, cause: NoticeCause): Promise<Sent> {
  const { projectId, owner } = cause;
  const project = await activeProject(deps, cause);
  const asked = project?.notifications?.filter((one) => isAsked(one, cause)) ?? [];
  const notice = project && asked.length > 0 ? await describeNotice(deps, project, cause) : null;
  if (!notice) return DONE;
  const messageId = noticeId(cause);
  for (const { id, kind, events } of asked) {
    if (events && notice.type !== 'notification.test' && !(events as readonly NoticeType[]).includes(notice.type))
      continue;
    const body = kind === 'slack' ? slackMessage(notice) : JSON.stringify(notice);
    const data: SendJob = { kind: 'send', projectId, owner, notificationId: id, messageId, body };
    await deps.queue.enqueue(QUEUES.notification, { id: `${messageId}-${id}`, data, projectId, owner });
  }
  return DONE;
}

/** A test goes to the one address that it was asked for. */
const isAsked = ({ id }: StoredNotification, cause: NoticeCause) =>
  cause.kind !== 'test' || id === cause.notificationId;

async function activeProject(
  { projects }: NotificationDeps,
  { projectId, owner }: NotificationJob,
): Promise<ProjectDocument | null> {
  const project = await projects.get(projectId);
  return project && !project.deleting && project.owner === owner ? project : null;
}

async function sendNotice(deps: NotificationDeps, job: SendJob): Promise<Sent> {
  const { projectId, notificationId, messageId, body } = job;
  const project = await activeProject(deps, job);
  const stored = project?.notifications?.find(({ id }) => id === notificationId);
  if (!stored) return DONE;
  const { waitUntil } = stored;
  if (waitUntil !== undefined && waitUntil > deps.clock.now()) return { kind: 'wait', until: waitUntil };
  try {
    const address = await openNoticeAddress(deps.secretBox, projectId, notificationId, stored.sealed);
    await postNotice(deps, stored, address, { id: messageId, body });
  } catch (error) {
    if (!(error instanceof VerenError)) throw error;
    deps.log.warn('An address takes no notification of a project', { notificationId, code: error.code });
    await noteNoticeFault(deps, job, () => error);
    return DONE;
  }
  if (stored.fault ?? stored.failures) await clearNoticeFault(deps, job);
  return DONE;
}

/** As long as the address asks for, else exponentially; what else is to be sent there waits, too (ms). */
async function pauseAfter(
  deps: NotificationDeps,
  { attempt }: ClaimedJob,
  data: NotificationJob,
  error: unknown,
): Promise<number> {
  if (data.kind !== 'send' || !(error instanceof HostBusyError)) return pauseOf(deps, attempt);
  let waitMs = 0;
  await changeNotification(deps, data, (before) => {
    const failures = (before.failures ?? 0) + 1;
    waitMs = error.waitMs === undefined ? pauseOf(deps, failures) : withJitter(deps, error.waitMs);
    return { ...before, failures, waitUntil: deps.clock.now() + waitMs };
  });
  return waitMs;
}
