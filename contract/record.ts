import { z } from 'zod';
import { CorrelationIdSchema } from './correlation.ts';
import { NodeMajorSchema, PlanSchema, RuntimeSchema } from './plan.ts';

export const DEPLOYMENT_STATUSES = ['queued', 'analyzing', 'building', 'succeeded', 'failed', 'canceled'] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];
export const BUILD_STATUSES = ['queued', 'building', 'succeeded', 'failed', 'canceled'] as const;
export type BuildStatus = (typeof BUILD_STATUSES)[number];
export const PHASES = ['fetch', 'install', 'build', 'publish'] as const;
export type Phase = (typeof PHASES)[number];

export const isTerminal = (s: DeploymentStatus | BuildStatus): s is 'succeeded' | 'failed' | 'canceled' =>
  s === 'succeeded' || s === 'failed' || s === 'canceled';

export const FailureSchema = z.object({
  /** A code of the error table (`errors.ts`). */
  code: z.string(),
  message: z.string(),
  phase: z.enum(PHASES).optional(),
  exitCode: z.number().int().optional(),
  /** Of the failing command's output the lines around its first errors and the last ones, oldest first, masked. */
  lastLines: z.array(z.string()).optional(),
});
export type Failure = z.infer<typeof FailureSchema>;

/** Of a build that succeeded: what its user should look at. Absent in records of an earlier version. */
export const MAX_BUILD_WARNINGS = 20;
export const MAX_BUILD_WARNING = 1_000;
export const BuildWarningsSchema = z.array(z.string().max(MAX_BUILD_WARNING)).max(MAX_BUILD_WARNINGS).optional();

export const StaticArtifactSchema = z.object({
  kind: z.literal('static'),
  bucket: z.string(),
  prefix: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  warnings: BuildWarningsSchema,
});
export const ImageArtifactSchema = z.object({
  kind: z.literal('image'),
  uri: z.string(),
  digest: z.string(),
  bytes: z.number().int(),
  warnings: BuildWarningsSchema,
});
/** What a builder reports. The API adds `url` to a static artifact, since where a site is served is the platform's matter. */
export const ArtifactSchema = z.discriminatedUnion('kind', [StaticArtifactSchema, ImageArtifactSchema]);
export type Artifact = z.infer<typeof ArtifactSchema>;

export const PhaseRecordSchema = z.object({
  name: z.enum(PHASES),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  ok: z.boolean().optional(),
});
export type PhaseRecord = z.infer<typeof PhaseRecordSchema>;

export const BuildRecordSchema = z.object({
  status: z.enum(BUILD_STATUSES),
  /** Absent in records of an earlier version: `runtimeOf`. */
  runtime: RuntimeSchema.optional(),
  nodeVersion: NodeMajorSchema,
  attempt: z.number().int().min(1),
  taskArn: z.string().optional(),
  phases: z.array(PhaseRecordSchema),
  artifact: ArtifactSchema.optional(),
  error: FailureSchema.optional(),
  /** True while a part that has been built waits, unpublished, for the other part of its deployment. */
  stored: z.boolean().optional(),
});
export type BuildRecord = z.infer<typeof BuildRecordSchema>;

export const OUTCOMES = ['complete', 'partial', 'none'] as const;

/** What is stored and archived of a deployment. No secrets: they live in the job and in the request only. */
export const DeploymentRecordSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  /** Of the request that it began with. */
  correlationId: CorrelationIdSchema.optional(),
  gitUrl: z.string(),
  ref: z.string().nullable(),
  commit: z.string().nullable(),
  status: z.enum(DEPLOYMENT_STATUSES),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  plan: PlanSchema.nullable(),
  builds: z.object({ frontend: BuildRecordSchema.optional(), backend: BuildRecordSchema.optional() }),
  error: FailureSchema.optional(),
  /**
   * Of a deployment that has ended: which of its parts were published. `partial`: one is (a site is live, an image is in the
   * repository) and the other is not. Absent before the end, and in records of earlier versions.
   */
  outcome: z.enum(OUTCOMES).optional(),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecordSchema>;
