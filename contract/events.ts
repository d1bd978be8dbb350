import { z } from 'zod';
import { PROJECT_ID } from './api.ts';
import { TARGETS, type Target } from './builders.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { TaskUseSchema, TrafficSchema } from './cost.ts';
import { TriggerSchema } from './gitHosts.ts';
import { NodeMajorSchema, PlanSchema } from './plan.ts';
import { ArtifactSchema, AskedBySchema, EXPIRY_REASONS, FailureSchema, PHASES, VariablesUsedSchema } from './record.ts';

/**
 * Messages on the three topics (`TOPICS`). All are keyed by deployment id, so one deployment keeps its order within a topic;
 * nothing orders one topic against another. Delivery is at least once: `id` is unique per event. Each message carries a MAC
 * (`mac.ts`).
 */
export const EVENT_VERSION = 1;

export const DEPLOYMENT_ID = /^[a-z0-9]{1,40}$/;

/** Times outside of these bounds come from a wrong clock or a forged message. */
const YEARS = { first: '2020', last: '2099' };
const time = z.iso
  .datetime()
  .refine((at) => at.slice(0, 4) >= YEARS.first && at.slice(0, 4) <= YEARS.last, 'is not a time of this century');

const subject = {
  deploymentId: z.string().regex(DEPLOYMENT_ID),
  projectId: z.string().max(63).regex(PROJECT_ID),
};
const envelope = {
  v: z.literal(EVENT_VERSION),
  id: z.string().min(1).max(100),
  /** When it happened, by the sender's clock. */
  at: time,
  ...subject,
  /** The id of the request that the deployment began with; events of an earlier version have none. */
  correlationId: CorrelationIdSchema.optional(),
};
const attempt = z.number().int().min(1);
const build = { ...envelope, target: z.enum(TARGETS), attempt };
const traffic = TrafficSchema.optional();

/** Fields of every event that a builder sends. */
const builderEvents = [
  z.object({
    ...build,
    type: z.literal('build.phase'),
    phase: z.enum(PHASES),
    state: z.enum(['started', 'finished']),
    ok: z.boolean().optional(),
  }),
  z.object({
    ...build,
    type: z.literal('build.succeeded'),
    artifact: ArtifactSchema,
    /** Number of log lines that this attempt has sent, by which a follower knows that it has seen the last one. */
    logLines: z.number().int().min(0),
    traffic,
  }),
  /** Built and stored, but not published: the platform publishes it when the deployment's other part has been built. */
  z.object({
    ...build,
    type: z.literal('build.stored'),
    artifact: ArtifactSchema,
    logLines: z.number().int().min(0),
    traffic,
  }),
  z.object({
    ...build,
    type: z.literal('build.failed'),
    error: FailureSchema,
    logLines: z.number().int().min(0).optional(),
    traffic,
  }),
] as const;

/** Messages of `build-events`. */
export const BuilderEventSchema = z.discriminatedUnion('type', builderEvents);
export type BuilderEvent = z.infer<typeof BuilderEventSchema>;

/** The id of a builder's event: the same for every repeat, and different for every build. */
export const builderEventId = (
  { deploymentId, target, attempt }: { deploymentId: string; target: Target; attempt: number },
  what: 'ended' | `${(typeof PHASES)[number]}-${'started' | 'finished'}`,
) => `${deploymentId}-${target}-${attempt}-${what}`;

/** Messages of `deployment-events`, and every event that a deployment's state is made of. */
export const DeploymentEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...envelope,
    type: z.literal('deployment.requested'),
    owner: z.string(),
    gitUrl: z.string(),
    ref: z.string().nullable(),
    /** Absent where the project had no variables. */
    variables: VariablesUsedSchema.optional(),
    /** Absent: a call of the API. */
    trigger: TriggerSchema.optional(),
    askedBy: AskedBySchema.optional(),
    redeployOf: z.string().optional(),
  }),
  z.object({ ...envelope, type: z.literal('deployment.analyzing') }),
  /** `plan.frontend` and `plan.backend`, where present, are what will be built. */
  z.object({ ...envelope, type: z.literal('deployment.analyzed'), plan: PlanSchema }),
  z.object({ ...envelope, type: z.literal('deployment.failed'), error: FailureSchema }),
  z.object({
    ...envelope,
    type: z.literal('deployment.canceled'),
    reason: z.enum(['user', 'superseded']),
    /** The newer deployment, where one superseded this. */
    by: z.string().optional(),
    /**
     * Builds whose publication was decided before the cancellation: only their success counts, whatever the events'
     * times are.
     */
    published: z.array(z.enum(TARGETS)).optional(),
  }),
  /** Nothing was built, since an earlier deployment was built from the same: its artifacts are those of this one. */
  z.object({
    ...envelope,
    type: z.literal('deployment.unchanged'),
    sameAs: z.string().regex(DEPLOYMENT_ID),
    artifacts: z.object({ frontend: ArtifactSchema.optional(), backend: ArtifactSchema.optional() }),
  }),
  /** Its files and images are not kept any more. */
  z.object({ ...envelope, type: z.literal('deployment.expired'), reason: z.enum(EXPIRY_REASONS) }),
  z.object({
    ...build,
    type: z.literal('build.started'),
    taskArn: z.string(),
    nodeVersion: NodeMajorSchema,
    /** It was slowed, since so many per cent of its project's budget were spent. */
    budgetPercent: z.int().min(0).optional(),
  }),
  /** The attempt's task has stopped, and this is what it is billed for. */
  z.object({ ...build, type: z.literal('build.used'), use: TaskUseSchema }),
  /** A laptop downloads the toolchain that the build needs, before its builder starts. */
  z.object({ ...build, type: z.literal('build.toolchain'), state: z.enum(['started', 'finished']) }),
  /** Attempt `attempt` ended for a reason that a retry may cure; `attempt + 1` follows. */
  z.object({ ...build, type: z.literal('build.retrying'), error: FailureSchema }),
  ...builderEvents,
]);
export type DeploymentEvent = z.infer<typeof DeploymentEventSchema>;

/**
 * `stdout`: what a command wrote, to either of its outputs, in the order in which it was written. `stderr`: in logs of an
 * earlier version, which kept the two apart and lost the order. `system`: the platform's own lines.
 */
export const LOG_STREAMS = ['stdout', 'stderr', 'system'] as const;
/** Longest line that is sent, in UTF-16 units; the builder cuts what is longer and says so. */
export const MAX_LOG_LINE = 8_192;

/** One message of `build-logs`: consecutive lines of one attempt. `first` numbers them from 0 within the attempt. */
export const LogBatchSchema = z.object({
  v: z.literal(EVENT_VERSION),
  ...subject,
  target: z.enum(TARGETS),
  attempt,
  first: z.number().int().min(0),
  lines: z
    .array(z.object({ at: time, stream: z.enum(LOG_STREAMS), line: z.string().max(MAX_LOG_LINE) }))
    .min(1)
    .max(1_000),
});
export type LogBatch = z.infer<typeof LogBatchSchema>;

/** A log line as the API gives it. `seq` counts from 1 within the deployment, without gaps. */
export const LogLineSchema = z.object({
  seq: z.number().int().min(1),
  at: z.iso.datetime(),
  target: z.enum(TARGETS),
  stream: z.enum(LOG_STREAMS),
  line: z.string(),
});
export type LogLine = z.infer<typeof LogLineSchema>;
