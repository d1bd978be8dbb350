import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { VerenError } from '../../../contract/errors.ts';
import { QUEUES } from '../../../contract/names.ts';
import {
  type Notice,
  type NoticeType,
  type NotificationJob,
  NotificationJobSchema,
  type StoredNotification,
} from '../../../contract/notifications.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { HostBusyError } from '../../shared/gitHosts/askHost.ts';
import type { Mail, MailPlace } from '../../shared/notifications/mails.ts';
import { openNoticeAddress } from '../../shared/notifications/noticeAddress.ts';
import { type NoticeCause, noticeId } from '../../shared/notifications/queueNotice.ts';
import type { ClaimedJob, Limits } from '../../shared/ports.ts';
import { DONE, drainSends, pauseOf, type Sends, type Sent, withJitter } from '../drainSends.ts';
import type { NotificationDeps } from './deps.ts';
import { describeNotice } from './describeNotice.ts';
import { mailMessage } from './mailMessage.ts';
import { changeNotification, clearNoticeFault, noteNoticeFault } from './noticeFault.ts';
import { postNotice } from './postNotice.ts';
import { slackMessage } from './slackMessage.ts';

/** Longer than one call may take. */
const LEASE_MS = 60_000;
/** An outage of an address is met by one call at a time, and no owner's addresses hold up those of others. */
const LIMITS: Limits = { global: 1_000, perOwner: 2, perProject: 1 };

const MAIL_HOST = 'Amazon SNS';
/** Source: AWS re:Post, "SNS email subscription disabled": more than 10 mails a second end a subscription. */
const MAIL_PAUSE_MS = 200;
const MailSchema = z.object({ subject: z.string(), text: z.string() });

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

/** What is sent, as text. */
const FORMS: Readonly<Record<StoredNotification['kind'], (notice: Notice) => string>> = {
  webhook: (notice) => JSON.stringify(notice),
  slack: slackMessage,
  email: (notice) => JSON.stringify(mailMessage(notice)),
};

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
    const body = FORMS[kind](notice);
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
    const { kind, name } = stored;
    if (kind === 'email') await sendMail(deps, job, stored, MailSchema.parse(JSON.parse(body)));
    else {
      const address = await openNoticeAddress(deps.secretBox, projectId, notificationId, stored.sealed);
      await postNotice(deps, { kind, name }, address, { id: messageId, body });
    }
  } catch (error) {
    if (!(error instanceof VerenError)) throw error;
    deps.log.warn('An address takes no notification of a project', { notificationId, code: error.code });
    await noteNoticeFault(deps, job, () => error);
    return DONE;
  }
  if (stored.fault ?? stored.failures) await clearNoticeFault(deps, job);
  return DONE;
}

/** Throws NOTIFICATION_REFUSED where nobody can have agreed, HostBusyError where it is to be tried again. */
async function sendMail({ mails }: NotificationDeps, place: MailPlace, { name }: StoredNotification, mail: Mail) {
  if (!mails) throw new VerenError('EMAIL_UNAVAILABLE', {});
  const sent = await mails.send(place, mail).catch((error: unknown) => {
    throw error instanceof VerenError ? new HostBusyError(MAIL_HOST, String(error.details.reason)) : error;
  });
  if (!sent) throw new VerenError('NOTIFICATION_REFUSED', { name, host: MAIL_HOST, reason: 'it has no such topic' });
  await setTimeout(MAIL_PAUSE_MS);
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
