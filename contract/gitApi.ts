import { z } from 'zod';
import { RefSchema } from './api.ts';

/** What the API takes and gives about git hosts. */

/** The events that a hook is to be sent, in the words of each host. */
export const WebhookSchema = z.object({
  /** What the host is to send deliveries to. */
  url: z.url(),
  /** Shown once. The one before it holds for an hour. */
  secret: z.string(),
  contentType: z.literal('application/json'),
  events: z.array(z.string()),
});
export type Webhook = z.infer<typeof WebhookSchema>;

/** What is set up between a project and its git host; no secret. */
export const GitSetupSchema = z.object({
  /** Where the host is to send deliveries. Absent: the project is not connected. */
  hookUrl: z.url().optional(),
  events: z.array(z.string()),
  webhook: z.object({
    /** A secret was made. */
    made: z.boolean(),
    /** The one before it holds until then. */
    formerUntil: z.iso.datetime().optional(),
  }),
  /** A token for the host is stored. */
  token: z.boolean(),
});
export type GitSetup = z.infer<typeof GitSetupSchema>;

export const GitTokenSchema = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces'),
});

/** What a host's delivery is answered with. */
export const DeliveryAnswerSchema = z.object({ status: z.enum(['accepted', 'ignored']), message: z.string() });
export type DeliveryAnswer = z.infer<typeof DeliveryAnswerSchema>;

/** Pull requests of forks that wait for a member. */
export const ApprovalListSchema = z.object({
  items: z.array(
    z.object({
      number: z.number(),
      commit: z.string(),
      from: z.string(),
      branch: z.string(),
      title: z.string().optional(),
      author: z.string().optional(),
      at: z.iso.datetime(),
    }),
  ),
});
export type ApprovalList = z.infer<typeof ApprovalListSchema>;
export const ApproveSchema = z.strictObject({
  number: z.int().positive(),
  /** The commit that was looked at: a newer one has to be approved by itself. */
  commit: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be the whole id of a commit'),
});

const hookName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

export const CreateDeployHookSchema = z.strictObject({
  name: hookName,
  /** Default: the production branch. */
  branch: RefSchema.optional(),
});
export const DeployHookSchema = z.object({
  id: z.string(),
  name: z.string(),
  branch: z.string().optional(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});
export type DeployHook = z.infer<typeof DeployHookSchema>;
export const DeployHookListSchema = z.object({ items: z.array(DeployHookSchema) });
/** `url` is shown once: whoever has it can deploy. */
export const CreatedDeployHookSchema = DeployHookSchema.extend({ url: z.url() });
export type CreatedDeployHook = z.infer<typeof CreatedDeployHookSchema>;

/** Deploy hooks of one project. */
export const MAX_DEPLOY_HOOKS = 50;
