import { randomBytes } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { ProblemSchema, ProjectIdSchema } from '../../../contract/api.ts';
import { VerenError } from '../../../contract/errors.ts';
import {
  CreatedNotificationSchema,
  CreateNotificationSchema,
  MAX_NOTIFICATIONS,
  type Notification,
  NotificationListSchema,
  type StoredNotification,
} from '../../../contract/notifications.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import { type Api, jsonIfAny, jsonOnly } from '../../shared/http/guard.ts';
import { failWith, problemResponses } from '../../shared/http/problem.ts';
import type { MailPlace } from '../../shared/notifications/mails.ts';
import { newNoticeSecret, sealNoticeAddress } from '../../shared/notifications/noticeAddress.ts';
import { queueNotice } from '../../shared/notifications/queueNotice.ts';
import { requireActive } from '../../shared/projects/findProject.ts';
import type { ApiDeps } from '../deps.ts';

const params = z.object({ id: ProjectIdSchema });
const oneParams = z.object({ id: ProjectIdSchema, notification: z.string().max(64) });
const failures = ['INVALID_REQUEST', 'UNAUTHORIZED', 'NOT_FOUND', 'PROJECT_DELETED', 'UNAVAILABLE'] as const;
const bodyFailures = [...failures, 'MALFORMED_JSON', 'BODY_TOO_LARGE', 'PROJECT_DELETING'] as const;

const listRoute = createRoute({
  method: 'get',
  path: '/projects/{id}/notifications',
  summary: 'Which addresses are told of a project',
  description: 'With why the last notification did not arrive. Addresses and secrets are not shown.',
  request: { params },
  responses: {
    200: {
      description: 'In the order of their making',
      content: { 'application/json': { schema: NotificationListSchema } },
    },
    ...problemResponses(ProblemSchema, ...failures),
  },
});

const createNotificationRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/notifications',
  middleware: jsonOnly,
  summary: 'Tell an address of deployments and releases',
  description:
    'A `webhook` is sent JSON that is signed as Standard Webhooks says, with the secret that this answer alone shows; `slack` is an incoming webhook of Slack or of what takes its form; `email`, on AWS, is a plain text for an address whose reader has agreed: they are asked first, and `subscription` in the list says how that stands. Delivered at least once, for up to a day; a repeat has the same `webhook-id`.',
  request: {
    params,
    body: { required: true, content: { 'application/json': { schema: CreateNotificationSchema } } },
  },
  responses: {
    201: { description: 'The notification', content: { 'application/json': { schema: CreatedNotificationSchema } } },
    ...problemResponses(
      ProblemSchema,
      ...bodyFailures,
      ...(['NAME_TAKEN', 'TOO_MANY', 'NOTIFICATION_FORBIDDEN', 'SECRETS_UNREADABLE'] as const),
      ...(['EMAIL_UNAVAILABLE', 'MAIL_RATE_LIMITED'] as const),
    ),
  },
});

const removeNotificationRoute = createRoute({
  method: 'delete',
  path: '/projects/{id}/notifications/{notification}',
  summary: 'Tell an address nothing any more',
  request: { params: oneParams },
  responses: { 204: { description: 'Removed' }, ...problemResponses(ProblemSchema, ...failures) },
});

const testRoute = createRoute({
  method: 'post',
  path: '/projects/{id}/notifications/{notification}/test',
  middleware: jsonIfAny,
  summary: 'Send a test to an address',
  description: 'An event `notification.test`. Where it does not arrive, the list says why.',
  request: {
    params: oneParams,
    body: { required: false, content: { 'application/json': { schema: z.strictObject({}) } } },
  },
  responses: { 202: { description: 'It is being sent' }, ...problemResponses(ProblemSchema, ...bodyFailures) },
});

const viewNotification = ({ sealed: _s, waitUntil: _w, failures: _f, ...shown }: StoredNotification): Notification =>
  shown;

function addNotification(project: ProjectDocument, owner: string, added: StoredNotification): ProjectDocument {
  // It may have been deleted, and another one of its name made, since it was read.
  if (project.owner !== owner) throw new VerenError('NOT_FOUND', { what: `project "${project.projectId}"` });
  const before = requireActive(project).notifications ?? [];
  if (before.some(({ name }) => name === added.name))
    throw new VerenError('NAME_TAKEN', { what: 'notification', name: added.name });
  if (before.length >= MAX_NOTIFICATIONS)
    throw new VerenError('TOO_MANY', { limit: MAX_NOTIFICATIONS, what: 'notifications of this project' });
  return { ...project, notifications: [...before, added] };
}

export function registerNotifications(app: Api, deps: ApiDeps): void {
  const { projects } = deps;
  const noSuch = (id: string) => failWith('NOT_FOUND', { what: `notification "${id}"` });

  const readSubscription = async (place: MailPlace) => {
    try {
      return deps.mails && { subscription: await deps.mails.state(place) };
    } catch (error) {
      deps.log.warn('Where an address for e-mail stands is not known', { ...place, error });
      return undefined;
    }
  };

  /** What a request names, checked. Throws NOTIFICATION_FORBIDDEN, EMAIL_UNAVAILABLE. */
  const addressOf = (asked: z.output<typeof CreateNotificationSchema>) => {
    if (asked.kind !== 'email') return deps.checkNoticeUrl(asked.url);
    if (!deps.mails) throw new VerenError('EMAIL_UNAVAILABLE', {});
    return { href: `mailto:${asked.address}`, host: asked.address.slice(asked.address.lastIndexOf('@') + 1) };
  };

  /** Asks the reader by e-mail before anything is noted. What it gives takes that back. */
  const askReader = async (owner: string, place: MailPlace, asked: z.output<typeof CreateNotificationSchema>) => {
    const { mails } = deps;
    if (asked.kind !== 'email' || !mails) return async () => {};
    await deps.limiter.limitMail(owner);
    await mails.ask(place, asked.address);
    return () => mails.remove(place);
  };

  app.openapi(listRoute, async (c) => {
    const { id: projectId } = c.req.valid('param');
    const { notifications = [] } = await deps.findProject(projectId, c.get('owner'));
    const items = await Promise.all(
      notifications.map(async (one) => ({
        ...viewNotification(one),
        ...(one.kind === 'email' && (await readSubscription({ projectId, notificationId: one.id }))),
      })),
    );
    return c.json({ items }, 200);
  });

  app.openapi(createNotificationRoute, async (c) => {
    const { id: projectId } = c.req.valid('param');
    const { owner, name: createdBy } = c.get('caller');
    const asked = c.req.valid('json');
    const { kind, name, events } = asked;
    const project = requireActive(await deps.findProject(projectId, owner));
    const { href: url, host } = addressOf(asked);
    const id = randomBytes(8).toString('hex');
    const secret = kind === 'webhook' ? { secret: newNoticeSecret() } : {};
    const stored: StoredNotification = {
      ...{ id, kind, name, host, createdBy, createdAt: new Date(deps.clock.now()).toISOString() },
      ...(events && { events }),
      sealed: await sealNoticeAddress(deps.secretBox, projectId, id, { url, ...secret }),
    };
    // Nobody is asked for what would be refused.
    addNotification(project, owner, stored);
    const takeBack = await askReader(owner, { projectId, notificationId: id }, asked);
    try {
      if (!(await projects.change(projectId, (before) => addNotification(before, owner, stored))))
        return failWith('NOT_FOUND', { what: `project "${projectId}"` });
    } catch (error) {
      await takeBack();
      throw error;
    }
    await deps.audit({ owner, by: createdBy, action: 'notification.create', projectId, subject: name, detail: host });
    return c.json({ ...viewNotification(stored), ...secret }, 201);
  });

  app.openapi(removeNotificationRoute, async (c) => {
    const { id: projectId, notification } = c.req.valid('param');
    const { owner, name: by } = c.get('caller');
    const { notifications = [] } = await deps.findProject(projectId, owner);
    const found = notifications.find(({ id }) => id === notification);
    if (!found) return noSuch(notification);
    // First, since it can be repeated only while the project has it.
    if (found.kind === 'email') await deps.mails?.remove({ projectId, notificationId: notification });
    await projects.change(projectId, (before) => ({
      ...before,
      notifications: before.notifications?.filter(({ id }) => id !== notification),
    }));
    await deps.audit({ owner, by, action: 'notification.delete', projectId, subject: notification });
    return c.body(null, 204);
  });

  app.openapi(testRoute, async (c) => {
    const { id: projectId, notification } = c.req.valid('param');
    const { owner } = c.get('caller');
    const { notifications = [] } = requireActive(await deps.findProject(projectId, owner));
    if (!notifications.some(({ id }) => id === notification)) return noSuch(notification);
    const at = new Date(deps.clock.now()).toISOString();
    await queueNotice(deps, { kind: 'test', projectId, owner, notificationId: notification, at });
    return c.body(null, 202);
  });
}
