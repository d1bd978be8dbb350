import { z } from 'zod';
import { ProjectIdSchema } from './api.ts';
import { TARGETS } from './builders.ts';

/** What waits and runs of one owner. */
export const QueueSchema = z.object({
  items: z.array(
    z.object({
      deploymentId: z.string(),
      projectId: ProjectIdSchema,
      /** Absent while its repository is looked at: which parts it has is not known yet. */
      target: z.enum(TARGETS).optional(),
      state: z.enum(['waiting', 'running']),
      /** From 1, among the jobs of all owners. */
      position: z.int().min(1).optional(),
      attempt: z.int().min(1),
      since: z.iso.datetime(),
      /** It waits until then before it is tried again. */
      notBefore: z.iso.datetime().optional(),
    }),
  ),
  /** Builds at once. An absent limit is the stage's own. */
  limits: z.object({ builds: z.int().min(1).optional() }),
});
export type Queue = z.infer<typeof QueueSchema>;
