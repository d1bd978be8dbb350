import { z } from 'zod';
import { CreateDeploymentSchema } from './api.ts';
import { TARGETS } from './builders.ts';
import { CacheUseSchema, LaneSchema } from './lanes.ts';
import { PlanSchema, TargetPlanSchema } from './plan.ts';

/**
 * What a deployment is made of: what the user asked for, and what a redeployment takes over from the one before, since its
 * ref is a commit then. The lane is the platform's to say, so no request has it.
 */
export const DeploymentRequestSchema = CreateDeploymentSchema.extend({ lane: LaneSchema.optional() });
export type DeploymentRequest = z.infer<typeof DeploymentRequestSchema>;

/** Job of queue `clone`: what the user asked for. Holds the user's variables and git token, so it is never logged. */
export const CloneJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  request: DeploymentRequestSchema,
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
  /** A job of an earlier version has none: no cache of production's is its to write. */
  lane: LaneSchema.default('preview'),
  cache: CacheUseSchema.default('use'),
});
export type BuildJob = z.infer<typeof BuildJobSchema>;

export const cloneJobId = (deploymentId: string) => deploymentId;
export const buildJobId = (deploymentId: string, target: 'frontend' | 'backend') => `${deploymentId}-${target}`;
