import { z } from 'zod';
import { ProjectIdSchema } from './api.ts';
import { NextReleaseSchema, ReleaseSchema } from './project.ts';

const reason = z.string().min(1).max(500).optional();

export const PromoteRequestSchema = z.strictObject({ reason });
export const RollbackRequestSchema = z.strictObject({
  /** Default: what was released before. */
  deploymentId: z.string().min(1).max(64).optional(),
  reason,
});

/** A release of what has been built, started with other variables. */
export const ReleaseRequestSchema = z.strictObject({
  /** The newest version of the project's variables. */
  variables: z.literal('current'),
  /** Default: the deployment whose backend production shows. */
  deploymentId: z.string().min(1).max(64).optional(),
  reason,
});

/** What production serves, and what it has served. */
export const ReleaseHistorySchema = z.object({
  projectId: ProjectIdSchema,
  release: ReleaseSchema.nullable(),
  pinned: z.object({ by: z.string(), at: z.iso.datetime() }).nullable(),
  /** Newest first, the present one included. */
  releases: z.array(ReleaseSchema),
  /** A release whose backend is being started with other variables; with `error` it was not made. */
  nextRelease: NextReleaseSchema.optional(),
  /** What the answered request does not change. */
  note: z.string().optional(),
});
export type ReleaseHistory = z.infer<typeof ReleaseHistorySchema>;
