import { z } from 'zod';
import { TARGETS } from './builders.ts';
import { NodeMajorSchema, PlanSchema } from './plan.ts';
import { ArtifactSchema, FailureSchema, PHASES } from './record.ts';

/**
 * Messages on the two topics. Both are keyed by deployment id, so one deployment keeps its order within a topic;
 * nothing orders one topic against the other. Delivery is at least once: `id` is unique per event.
 */
export const EVENT_VERSION = 1;

const envelope = {
  v: z.literal(EVENT_VERSION),
  id: z.string().min(1).max(100),
  /** When it happened, by the sender's clock. */
  at: z.iso.datetime(),
  deploymentId: z.string().min(1).max(64),
  projectId: z.string().min(1).max(63),
};
const attempt = z.number().int().min(1);
const build = { ...envelope, target: z.enum(TARGETS), attempt };

export const DeploymentEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...envelope,
    type: z.literal('deployment.requested'),
    owner: z.string(),
    gitUrl: z.string(),
    ref: z.string().nullable(),
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
    /** Builds that had decided to publish before (`Verdict`): their success stands. No other one counts, whatever its time. */
    published: z.array(z.enum(TARGETS)).optional(),
  }),
  z.object({ ...build, type: z.literal('build.started'), taskArn: z.string(), nodeVersion: NodeMajorSchema }),
  z.object({
    ...build,
    type: z.literal('build.phase'),
    phase: z.enum(PHASES),
    state: z.enum(['started', 'finished']),
    ok: z.boolean().optional(),
  }),
  /** Attempt `attempt` ended for a reason that a retry may cure; `attempt + 1` follows. */
  z.object({ ...build, type: z.literal('build.retrying'), error: FailureSchema }),
  z.object({
    ...build,
    type: z.literal('build.succeeded'),
    artifact: ArtifactSchema,
    /** Log lines that this attempt sent in all: lets a follower know when it has seen the last. */
    logLines: z.number().int().min(0),
  }),
  z.object({
    ...build,
    type: z.literal('build.failed'),
    error: FailureSchema,
    logLines: z.number().int().min(0).optional(),
  }),
]);
export type DeploymentEvent = z.infer<typeof DeploymentEventSchema>;
export type DeploymentEventType = DeploymentEvent['type'];

export const LOG_STREAMS = ['stdout', 'stderr', 'system'] as const;
/** Longest line that is sent, in UTF-16 units; the builder cuts what is longer and says so. */
export const MAX_LOG_LINE = 8_192;

/** One message of `build-logs`: consecutive lines of one attempt. `first` numbers them from 0 within the attempt. */
export const LogBatchSchema = z.object({
  v: z.literal(EVENT_VERSION),
  deploymentId: z.string().min(1).max(64),
  projectId: z.string().min(1).max(63),
  target: z.enum(TARGETS),
  attempt,
  first: z.number().int().min(0),
  lines: z
    .array(z.object({ at: z.iso.datetime(), stream: z.enum(LOG_STREAMS), line: z.string().max(MAX_LOG_LINE) }))
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
