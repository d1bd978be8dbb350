import { z } from 'zod';

/**
 * What a builder reads once at `HANDOVER_URL` (`s3Keys.handover`): its whole environment, and the URL by which it
 * claims it. Everybody who may describe tasks can read a task's overrides; they cannot read this object.
 * docs/decisions/secrets-handover.md
 */
export const HandoverSchema = z.object({
  v: z.literal(1),
  variables: z.record(z.string(), z.string()),
  /** Signed PUT that succeeds for the first reader only; every later one is answered with 412. */
  claim: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }),
  /** Signed DELETE of the object that this was read from. */
  remove: z.object({ url: z.url() }),
});
export type Handover = z.infer<typeof HandoverSchema>;

/**
 * Seconds from RunTask until the URLs end. A Fargate task without capacity trouble is PENDING for one to three minutes, and
 * one whose image or network is slow for up to ten; the platform has given up a task that comes later.
 */
export const HANDOVER_SECONDS = 900;
