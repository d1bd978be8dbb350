import { z } from 'zod';
import { CLIENTS } from './clients.ts';
import { CorrelationIdSchema } from './correlation.ts';
import { CostSchema } from './cost.ts';
import { TriggerSchema } from './gitHosts.ts';
import { EnvironmentSchema } from './lanes.ts';
import { NodeMajorSchema, PlanSchema, RuntimeSchema } from './plan.ts';
import { BUILD_STATUSES, DEPLOYMENT_STATUSES, PHASES } from './statuses.ts';

export {
  type BuildStatus,
  DEPLOYMENT_STATUSES,
  type DeploymentStatus,
  isTerminal,
  PHASES,
  type Phase,
} from './statuses.ts';

export const FailureSchema = z.object({
  /** A code of the error table (`errors.ts`). */
  code: z.string(),
  message: z.string(),
  phase: z.enum(PHASES).optional(),
  exitCode: z.number().int().optional(),
  /** Lines of the failing command's output: around its first errors, and the last ones; oldest first, masked. */
  lastLines: z.array(z.string()).optional(),
});
export type Failure = z.infer<typeof FailureSchema>;

/** Of a successful build: what the user should look at. Absent in records of an earlier version. */
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
/** How a service is started from its folder, by a process of the machine that has built it. */
export const ServiceStartSchema = z.object({
  argv: z.array(z.string().max(32_768)).min(1).max(200),
  /** Relative to the folder. */
  cwd: z.string().max(1_024),
  nodeMajor: NodeMajorSchema,
  /** Variables that its package manager would set, and those that let it listen on every address. */
  variables: z.record(z.string(), z.string()),
});
export type ServiceStart = z.infer<typeof ServiceStartSchema>;

/** A backend that was built without a container engine: an archive (tar) of what it runs from. Only on a laptop. */
export const FolderArtifactSchema = z.object({
  kind: z.literal('folder'),
  bucket: z.string(),
  key: z.string(),
  /** SHA-256 of the archive. */
  digest: z.string(),
  bytes: z.number().int(),
  start: ServiceStartSchema,
  warnings: BuildWarningsSchema,
});
/**
 * What a builder reports. The API adds `url` to a static artifact, since a builder does not know where its site is
 * served.
 */
export const ArtifactSchema = z.discriminatedUnion('kind', [
  StaticArtifactSchema,
  ImageArtifactSchema,
  FolderArtifactSchema,
]);
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
  /** When the task was asked for; until the first phase its container starts. Absent in records of earlier versions. */
  startedAt: z.iso.datetime().optional(),
  /** The download of its toolchain, before the first phase. Absent where it was there, and on AWS, whose images have it. */
  toolchain: z.object({ startedAt: z.iso.datetime(), finishedAt: z.iso.datetime().optional() }).optional(),
  phases: z.array(PhaseRecordSchema),
  artifact: ArtifactSchema.optional(),
  error: FailureSchema.optional(),
  /** True while a part that has been built waits, unpublished, for the other part of its deployment. */
  stored: z.boolean().optional(),
  /** It ran on Spot capacity and alone, since so much of its project's budget was spent when it started. */
  slowed: z.object({ budgetPercent: z.int().min(0), message: z.string() }).optional(),
});
export type BuildRecord = z.infer<typeof BuildRecordSchema>;

/** The version of its project's variables that a deployment has. */
export const VariablesUsedSchema = z.object({ version: z.int().min(1) });
/** Who has asked for a deployment by a call of the API, and by which program of ours. */
export const AskedBySchema = z.object({
  /** The name of the token. */
  token: z.string(),
  /** Whose token it is, where it is a member's. */
  member: z.string().optional(),
  client: z.enum(CLIENTS).optional(),
});
export type AskedBy = z.infer<typeof AskedBySchema>;

/** Why a deployment is not kept any more: its time is over, or its pull request or branch was closed. */
export const EXPIRY_REASONS = ['age', 'closed'] as const;
export type ExpiryReason = (typeof EXPIRY_REASONS)[number];

export const OUTCOMES = ['complete', 'partial', 'none'] as const;

/** What is stored and archived of a deployment. It has no secrets: those are in the job and the request only. */
export const DeploymentRecordSchema = z.object({
  deploymentId: z.string(),
  projectId: z.string(),
  owner: z.string(),
  /** The id of the request that the deployment began with. */
  correlationId: CorrelationIdSchema.optional(),
  /** Absent: a call of the API. */
  trigger: TriggerSchema.optional(),
  /** Absent with a trigger, and in records of earlier versions. */
  askedBy: AskedBySchema.optional(),
  /** The deployment whose commit this one deploys again. Absent in records of earlier versions. */
  redeployOf: z.string().optional(),
  gitUrl: z.string(),
  ref: z.string().nullable(),
  /** Known from the analysis on. Absent before it, and in records of earlier versions. */
  environment: EnvironmentSchema.optional(),
  commit: z.string().nullable(),
  /** Which version of the project's variables it has. Absent where the project had none. */
  variables: VariablesUsedSchema.optional(),
  status: z.enum(DEPLOYMENT_STATUSES),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  plan: PlanSchema.nullable(),
  builds: z.object({ frontend: BuildRecordSchema.optional(), backend: BuildRecordSchema.optional() }),
  error: FailureSchema.optional(),
  /** The deployment that was built from the same: this one was not built, and shows that one's files and images. */
  sameAs: z.string().optional(),
  /** Its files and images are removed. The record and the log stay as long as the project does. */
  expired: z.object({ at: z.iso.datetime(), reason: z.enum(EXPIRY_REASONS) }).optional(),
  /**
   * Which parts of an ended deployment were published. `partial`: one part is (its site is live, or its image is in the
   * repository) and the other is not. Absent before the end, and in records of earlier versions.
   */
  outcome: z.enum(OUTCOMES).optional(),
  /** Of the tasks that have ended. Absent where none has, on a laptop, and in records of earlier versions. */
  cost: CostSchema.optional(),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecordSchema>;
