import { z } from 'zod';

/**
 * What a builder reads once at `HANDOVER_URL` (`s3Keys.handover`): its whole environment, and how it says that it has read
 * it. Overrides of a task can be read by everybody who may describe tasks; this object cannot.
 * docs/decisions/secrets-handover.md
 */
export const HandoverSchema = z.object({
  v: z.literal(1),
  variables: z.record(z.string(), z.string()),
  /** Signed PUT that succeeds for the first reader alone: answers 412 where somebody was faster. */
  claim: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }),
  /** Signed DELETE of the object that this was read from. */
  remove: z.object({ url: z.url() }),
});
export type Handover = z.infer<typeof HandoverSchema>;

/**
 * Seconds from RunTask until the URLs end. A Fargate task without capacity trouble is PENDING for one to three minutes, and
 * one whose image or network is slow for up to ten; what comes later is a task that the platform has given up.
 */
export const HANDOVER_SECONDS = 900;
