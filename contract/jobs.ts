import { z } from 'zod';
import { CreateDeploymentSchema } from './api.ts';
import { TARGETS } from './builders.ts';
import { PlanSchema, TargetPlanSchema } from './plan.ts';

/** Job of queue `clone`: what the user asked for. Holds the user's variables and git token, so it is never logged. */
export const CloneJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  request: CreateDeploymentSchema,
});
export type CloneJob = z.infer<typeof CloneJobSchema>;

/** Job of queue `build`: one target of an analyzed deployment. The attempt is the queue's, not the job's. */
export const BuildJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  target: z.enum(TARGETS),
  gitUrl: z.string(),
  gitToken: z.string().optional(),
  commit: PlanSchema.shape.commit,
  plan: TargetPlanSchema,
  env: z.record(z.string(), z.string()),
});
export type BuildJob = z.infer<typeof BuildJobSchema>;

export const cloneJobId = (deploymentId: string) => deploymentId;
export const buildJobId = (deploymentId: string, target: 'frontend' | 'backend') => `${deploymentId}-${target}`;
