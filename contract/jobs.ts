import { z } from 'zod';
import { CreateDeploymentSchema, GitOptionsSchema } from './api.ts';
import { TARGETS } from './builders.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { CacheUseSchema, LaneSchema } from './lanes.ts';
import { PlanSchema, TargetPlanSchema } from './plan.ts';
import { ArtifactSchema } from './record.ts';

/**
 * What a deployment is made of: what the user asked for, and what a redeployment takes over from the one before, since its
 * ref is a commit then. The lane is the platform's to say, so no request has it.
 */
export const DeploymentRequestSchema = CreateDeploymentSchema.extend({
  lane: LaneSchema.optional(),
  /** What the ref of the deployment before was, for the build's variables. */
  resolved: z.object({ ref: z.string(), branch: z.string(), tag: z.string() }).partial().optional(),
});
export type DeploymentRequest = z.infer<typeof DeploymentRequestSchema>;

/**
 * A request as it is stored and queued. `sealed` holds the git token and the variables, encrypted; in clear text they are
 * only in what an earlier version has stored.
 */
export const StoredRequestSchema = DeploymentRequestSchema.extend({ sealed: z.string().optional() });
export type StoredRequest = z.infer<typeof StoredRequestSchema>;

/** Job of queue `clone`: what the user asked for. */
export const CloneJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  correlationId: CorrelationIdSchema.optional(),
  request: StoredRequestSchema,
});
export type CloneJob = z.infer<typeof CloneJobSchema>;

/** Job of queue `build`: one target of an analyzed deployment. The attempt is the queue's, not the job's. */
export const BuildJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  correlationId: CorrelationIdSchema.optional(),
  target: z.enum(TARGETS),
  gitUrl: z.string(),
  /** The request's git token and variables, encrypted; the next two hold them once opened, and in jobs of an earlier version. */
  sealed: z.string().optional(),
  gitToken: z.string().optional(),
  commit: PlanSchema.shape.commit,
  /** As it was asked for, and what it is. */
  ref: z.string().optional(),
  branch: PlanSchema.shape.branch,
  tag: PlanSchema.shape.tag,
  git: GitOptionsSchema.optional(),
  plan: TargetPlanSchema,
  env: z.record(z.string(), z.string()).default({}),
  /** A job of an earlier version has none: no cache of production's is its to write. */
  lane: LaneSchema.default('preview'),
  cache: CacheUseSchema.default('use'),
  /** The site is stored and not promoted: the deployment has another part, and neither is published before both are built. */
  hold: z.boolean().optional(),
});
export type BuildJob = z.infer<typeof BuildJobSchema>;

/** Job of queue `promote`: a stored site that may be shown now. */
export const PromotionJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  /** The attempt that stored it, and what it said. */
  attempt: z.number().int().min(1),
  artifact: ArtifactSchema,
  logLines: z.number().int().min(0),
});
export type PromotionJob = z.infer<typeof PromotionJobSchema>;

export const promotionJobId = (deploymentId: string) => deploymentId;
export const cloneJobId = (deploymentId: string) => deploymentId;
export const buildJobId = (deploymentId: string, target: 'frontend' | 'backend') => `${deploymentId}-${target}`;
