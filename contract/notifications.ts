import { z } from 'zod';

/** What the world outside of Veren is told of a project: to which addresses, of what, and in which form. */

/** Kinds of events that addresses are told of. Names follow Standard Webhooks: groups, separated by full stops. */
export const NOTICE_TYPES = [
  'deployment.succeeded',
  'deployment.failed',
  'deployment.canceled',
  'production.released',
  'production.rolledBack',
  'notification.test',
] as const;
export const NoticeTypeSchema = z.enum(NOTICE_TYPES);
export type NoticeType = z.infer<typeof NoticeTypeSchema>;

/** Those that an address can ask for; a test goes where it was asked for. */
const ChosenTypesSchema = z.array(NoticeTypeSchema.exclude(['notification.test'])).min(1);

/**
 * `webhook`: JSON, signed as Standard Webhooks says; `slack`: one message in the form of Slack's incoming webhooks; `email`:
 * a plain text, on AWS alone.
 */
export const NOTIFICATION_KINDS = ['webhook', 'slack', 'email'] as const;

const NotificationNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

const created = {
  name: NotificationNameSchema,
  /** Default: all. */
  events: ChosenTypesSchema.meta({ uniqueItems: true }).optional(),
};
export const CreateNotificationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['webhook', 'slack']),
    ...created,
    /** https, and a public host. It is never given back, since addresses of Slack are secrets. */
    url: z.url({ protocol: /^https?$/ }).max(2_048),
  }),
  z.strictObject({
    kind: z.literal('email'),
    ...created,
    /** Whoever reads it has to say yes to a message that it gets first. It is never given back. */
    address: z.email().max(254),
  }),
]);

/** Where an address for e-mail stands: asked, agreed, or neither (any more): nobody agreed in time, or somebody left. */
export const MailStateSchema = z.enum(['pending', 'confirmed', 'ended']);
export type MailState = z.infer<typeof MailStateSchema>;

export const NotificationSchema = z.object({
  id: z.string(),
  kind: z.enum(NOTIFICATION_KINDS),
  name: NotificationNameSchema,
  /** The host of its address, and the port where it is not the scheme's; of e-mail what follows the @. */
  host: z.string(),
  events: ChosenTypesSchema.optional(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  /** Why the last notification did not arrive; absent where it did. */
  fault: z.object({ code: z.string(), message: z.string(), at: z.iso.datetime() }).optional(),
  /** Of e-mail, as SNS says when it is asked; absent where it does not answer. */
  subscription: MailStateSchema.optional(),
});
export type Notification = z.infer<typeof NotificationSchema>;

/** As it is kept in the project's document. */
export const StoredNotificationSchema = NotificationSchema.omit({ subscription: true }).extend({
  /** The address, and the secret of a webhook. */
  sealed: z.string(),
  /** It takes nothing before (ms). */
  waitUntil: z.number().optional(),
  /** Calls in a row that it has not taken. */
  failures: z.int().optional(),
});
export type StoredNotification = z.infer<typeof StoredNotificationSchema>;

export const NotificationListSchema = z.object({ items: z.array(NotificationSchema) });
/** `secret` is shown once, in the form of Standard Webhooks: `whsec_` and base64. Slack needs none. */
export const CreatedNotificationSchema = NotificationSchema.extend({ secret: z.string().optional() });

/** Addresses of one project. */
export const MAX_NOTIFICATIONS = 20;
/** Readers whom an owner may have asked by e-mail within a day: each gets a message that they have not wished for. */
export const MAX_ASKED_BY_MAIL = 20;

/** The body of a webhook. A repeat has the same body under the same id. */
export interface Notice {
  readonly type: NoticeType;
  /** When it happened (ISO). */
  readonly timestamp: string;
  readonly data: {
    readonly projectId: string;
    readonly deploymentId?: string;
    readonly environment?: 'production' | 'preview';
    readonly branch?: string;
    readonly commit?: string;
    /** Where the deployment is shown, without what opens a protected preview. */
    readonly url?: string;
    /** Why it failed. */
    readonly error?: { readonly code: string; readonly message: string };
    readonly releaseId?: string;
    /** Who released, and why. */
    readonly by?: string;
    readonly reason?: string;
  };
}

const of = { projectId: z.string(), owner: z.string() };

/** Jobs of queue `notification`: something has happened, or one address is to be told of it. */
export const NotificationJobSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('deployment'),
    ...of,
    deploymentId: z.string(),
    status: z.enum(['succeeded', 'failed', 'canceled']),
  }),
  z.object({ kind: z.literal('release'), ...of, releaseId: z.string() }),
  z.object({ kind: z.literal('test'), ...of, notificationId: z.string(), at: z.iso.datetime() }),
  z.object({
    kind: z.literal('send'),
    ...of,
    notificationId: z.string(),
    /** By which the receiver knows a repeat. */
    messageId: z.string(),
    body: z.string(),
  }),
]);
export type NotificationJob = z.infer<typeof NotificationJobSchema>;
