import { z } from 'zod';
import { AnalyzeSchema, CreateDeploymentSchema, RefSchema } from './api.ts';
import { TARGETS, type Target } from './builders.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { GitOptionsSchema } from './deployment-options.ts';
import { TriggerSchema } from './gitHosts.ts';
import { AppAccessSchema } from './githubApp.ts';
import { CacheUseSchema, EnvironmentSchema, LaneSchema } from './lanes.ts';
import { PlanSchema, TargetPlanSchema } from './plan.ts';
import { ArtifactSchema, VariablesUsedSchema } from './record.ts';

/** What a pull request of a fork is deployed as; no request of a caller and no branch of git can have such a ref. */
const ForkRefSchema = z.string().regex(/^pull:[1-9]\d{0,15}$/);

/**
 * What a deployment is made of: the user's request, and what a redeployment takes over from the deployment before it,
 * since its own ref is a commit. Only the platform sets the lane, the commit and the trigger, so no request has them.
 */
export const DeploymentRequestSchema = CreateDeploymentSchema.extend({
  /** That of the request, else the project's. */
  gitUrl: AnalyzeSchema.shape.gitUrl,
  ref: RefSchema.or(ForkRefSchema).optional(),
  lane: LaneSchema.optional(),
  /** The commit that the ref pointed at: this one is deployed, whatever the ref points at now. */
  commit: z.string().optional(),
  /** What has started it. Absent: a call of the API. */
  trigger: TriggerSchema.optional(),
  /** A token of the owner's GitHub App is made for it whenever its repository is read: such a token ends after an hour. */
  gitApp: AppAccessSchema.optional(),
  /** The ref, branch or tag of the deployment before, for the build's variables. */
  resolved: z.object({ ref: z.string(), branch: z.string(), tag: z.string() }).partial().optional(),
  /** The project's at the time of the request. Default: the repository's default branch. */
  productionBranch: RefSchema.optional(),
});
export type DeploymentRequest = z.infer<typeof DeploymentRequestSchema>;

/**
 * A request as it is stored and queued. `sealed` holds the git token and the variables, encrypted; only requests that
 * an earlier version has stored have them in clear text. `variables` are the project's, as they were at this moment.
 */
export const StoredRequestSchema = DeploymentRequestSchema.extend({
  sealed: z.string().optional(),
  variables: VariablesUsedSchema.optional(),
});
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
  gitApp: AppAccessSchema.optional(),
  commit: PlanSchema.shape.commit,
  /** The ref of the request, and the branch or tag that it names. */
  ref: z.string().optional(),
  branch: PlanSchema.shape.branch,
  tag: PlanSchema.shape.tag,
  git: GitOptionsSchema.optional(),
  plan: TargetPlanSchema,
  env: z.record(z.string(), z.string()).default({}),
  /** The project's variables, which are read when the build starts: those of this version for this environment. */
  variables: VariablesUsedSchema.extend({ environment: EnvironmentSchema }).optional(),
  /** A job of an earlier version has none, and must not write caches of production. */
  lane: LaneSchema.default('preview'),
  cache: CacheUseSchema.default('use'),
  /** The site is stored and not promoted: the deployment has another part, and neither is published before both are built. */
  hold: z.boolean().optional(),
});
export type BuildJob = z.infer<typeof BuildJobSchema>;

/** Job of queue `promote`: a stored site that may be published now. */
export const PromotionJobSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  correlationId: CorrelationIdSchema.optional(),
  /** The attempt that stored the site, and what it reported. */
  attempt: z.number().int().min(1),
  artifact: ArtifactSchema,
  logLines: z.number().int().min(0),
});
export type PromotionJob = z.infer<typeof PromotionJobSchema>;

/** Job of queue `release`: something of a project that serving does not show yet. */
export const ReleaseJobSchema = z.discriminatedUnion('kind', [
  /** A deployment has got something to show: it gets its addresses, and is released where it should be. */
  z.object({ kind: z.literal('ended'), projectId: z.string(), owner: z.string(), deploymentId: z.string() }),
  /** The document has this release, or is just getting it: serving is to follow. */
  z.object({ kind: z.literal('switched'), projectId: z.string(), owner: z.string(), releaseId: z.string() }),
  /** Settings have changed, or what serves was lost: every address of the project is written again. */
  z.object({
    kind: z.literal('project'),
    projectId: z.string(),
    owner: z.string(),
    /** Deployments up to this one have been written by the jobs before: a project may have ten thousand of them. */
    cursor: z.string().optional(),
  }),
  /** A project is looked at for what was lost: what is in order is not written. */
  z.object({ kind: z.literal('look'), projectId: z.string(), owner: z.string() }),
  /** Every project is looked at, as after a loss of jobs. */
  z.object({ kind: z.literal('all') }),
]);
export type ReleaseJob = z.infer<typeof ReleaseJobSchema>;

/** Job of queue `service`: a backend is to show that it runs, before anything of its deployment is shown. */
export const ServiceJobSchema = z.object({
  projectId: z.string(),
  owner: z.string(),
  deploymentId: z.string(),
  /** The release that waits for it, of what was built long ago; absent: it has just been built. */
  releaseId: z.string().optional(),
});
export type ServiceJob = z.infer<typeof ServiceJobSchema>;

/** Job of queue `copy`: `__outputs/` of a project is to hold what is released. */
export const CopyJobSchema = z.object({ projectId: z.string(), owner: z.string() });
export type CopyJob = z.infer<typeof CopyJobSchema>;

export const promotionJobId = (deploymentId: string) => deploymentId;
export const cloneJobId = (deploymentId: string) => deploymentId;
export const buildJobId = (deploymentId: string, target: Target) => `${deploymentId}-${target}`;
/** What a job of queue `build` is for, by its id; null for no such id. */
export function readBuildJobId(id: string): { readonly deploymentId: string; readonly target: Target } | null {
  const target = TARGETS.find((one) => id.endsWith(`-${one}`));
  return target === undefined ? null : { deploymentId: id.slice(0, -target.length - 1), target };
}

/** Notes of a job as a queue stores them: text, so that a later version can read what an earlier one has written. */
export type StoredNotes = Readonly<Record<string, string>>;

const count = z.codec(z.string(), z.int().nonnegative(), { decode: Number, encode: String }).optional();
/** When something was first seen in an attempt (ms); it does not hold for another attempt. */
const seenInAttempt = z
  .codec(z.string(), z.object({ attempt: z.int().positive(), at: z.number() }), {
    decode(text) {
      const [attempt, at] = text.split(' ');
      return { attempt: Number(attempt), at: Number(at) };
    },
    encode: ({ attempt, at }) => `${attempt} ${at}`,
  })
  .optional();
const planText = z
  .codec(z.string(), PlanSchema, {
    decode: (text) => JSON.parse(text) as z.input<typeof PlanSchema>,
    encode: (plan) => JSON.stringify(plan),
  })
  .optional();

/** What holders of a clone job note in it. Read and written by `lambdas/domain/cloneJob.ts` and `crashes.ts`. */
export const CloneNotesSchema = z.object({
  /** Analyses that have failed. */
  tries: count,
  /** Crashes in a row during which the job was at work. */
  crashes: count,
  /** How often the job was requeued because Kafka or Redis did not answer. */
  faults: count,
  /** The plan that was decided on; the next holder of the job uses it instead of making another. */
  plan: planText,
});
export type CloneNotes = z.output<typeof CloneNotesSchema>;

/** What holders of a promotion note in it. Read and written by `lambdas/domain/promotionJob.ts`. */
export const PromotionNotesSchema = z.object({
  /** How many workers have died or run out of time while they held it. */
  lapses: count,
});

/** What holders of a build job note in it. Read and written by `lambdas/domain/buildJob.ts`, `retry.ts` and `crashes.ts`. */
export const BuildNotesSchema = z.object({
  /** Starts of this attempt that have failed. */
  tries: count,
  /** Number of the start, part of the task's token: grows when ECS has refused one for good. */
  start: count,
  /** 1 when a task of the job was searched for after its deployment had ended. */
  looked: count,
  taskArn: z.string().optional(),
  /** Name or ARN of the task's cluster. */
  cluster: z.string().optional(),
  /** The attempt that `taskArn` and `cluster` are of. */
  taskOf: count,
  /** The attempt whose start was published. */
  announced: count,
  /** The attempt whose task has stopped. */
  stopped: count,
  /** When the build had ended and its task had not. */
  ended: seenInAttempt,
  /** When the task was first seen stopped without a final event of its builder. */
  seenStopped: seenInAttempt,
  /** Sweeps in a row to which ECS did not know the task. */
  misses: count,
  /** Attempts before this one that the platform itself has ended; they do not count as attempts of the build. */
  excused: count,
  crashes: count,
  /** Per cent of the project's budget that were spent when this attempt was slowed. */
  budgetPercent: count,
});
export type BuildNotes = z.output<typeof BuildNotesSchema>;
