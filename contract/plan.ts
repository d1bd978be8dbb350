import { z } from 'zod';
import { GitOptionsSchema, PublicationSchema } from './deployment-options.ts';
import { EnvironmentSchema, LaneSchema } from './lanes.ts';
import { NODE_MAJORS } from './node-lines.ts';
import { RUNTIME_NAMES } from './runtimes.ts';

/** The generator of the API's document knows literals of one value alone, so the list is told once more. */
export const NodeMajorSchema = z.literal(NODE_MAJORS).meta({ enum: [...NODE_MAJORS] });

/** What a target is built with. `version`: null where there is none to speak of, or the builder's own is taken. */
export const RuntimeSchema = z.object({ name: z.enum(RUNTIME_NAMES), version: z.string().max(64).nullable() });
export type Runtime = z.infer<typeof RuntimeSchema>;

export const PackageManagerSchema = z.object({
  name: z.enum(['npm', 'pnpm', 'yarn', 'bun']),
  /** Exact version, or a major where only the lockfile's format is known (`"9"`). Absent: the builder's default. */
  version: z.string().optional(),
});
export type PackageManager = z.infer<typeof PackageManagerSchema>;

/**
 * What the scan of an output for secrets may find: a kind (`aws-access-key`), a file of the output, or a folder of it
 * (`docs/`).
 */
export const AllowSecretsSchema = z
  .array(
    z
      .string()
      .min(1)
      .max(512)
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters'),
  )
  .max(50);

/**
 * Folders in which the framework keeps compiled code, relative to the target's: kept between builds. Plans of an earlier
 * version name none, and a build of one begins without.
 */
export const CompiledFoldersSchema = z
  .array(
    z
      .string()
      .max(256)
      .regex(/^(?!(?:.*\/)?\.{1,2}(?:\/|$))[\w@.-]+(?:\/[\w@.-]+)*$/, 'must be a folder below that of the target'),
  )
  .max(50);

export { PROJECT_RULE, REQUEST_RULE, SETTINGS_RULE } from './planRules.ts';

/** Why a field of the plan has its value: the file and the rule that decided it. */
export const EvidenceSchema = z.object({
  field: z.string(),
  value: z.string(),
  /** Path relative to the repository root; absent where a default or the request decided. */
  file: z.string().optional(),
  rule: z.string(),
});
export type Evidence = z.infer<typeof EvidenceSchema>;

/** What to build in one folder and how. `null` is "does not apply". */
export const TargetPlanSchema = z.object({
  /** Relative to the repository root, `.` for the root, `/` as separator, never `..`. */
  path: z.string(),
  framework: z.string().nullable(),
  language: z.string(),
  packageManager: PackageManagerSchema.nullable(),
  /** Absent in plans of an earlier version: `runtimeOf`. */
  runtime: RuntimeSchema.optional(),
  /** The earlier name of Node's runtime. Where another one builds the target: the Node of the builder's tools. */
  nodeVersion: NodeMajorSchema,
  /** Folder in which the install command runs: the workspace root. Equal to `path` outside a workspace. */
  installPath: z.string(),
  installCommand: z.string().nullable(),
  buildCommand: z.string().nullable(),
  /** Relative to `path`. Only for frontends: there, null is the folder with an index.html that the build writes. */
  outputDirectory: z.string().nullable().optional(),
  /** From the request. Only for frontends. */
  allowSecrets: AllowSecretsSchema.optional(),
  /** What the framework's file says. Only for frontends. */
  compiledFolders: CompiledFoldersSchema.optional(),
  startCommand: z.string().nullable().optional(),
  port: z.number().int().min(1).max(65535).nullable().optional(),
  /** The repository's own Dockerfile, relative to `path`. Only for backends; absent where a template is used. */
  dockerfile: z.string().optional(),
  evidence: z.array(EvidenceSchema),
});
export type TargetPlan = z.infer<typeof TargetPlanSchema>;

/** The runtime of a plan or a build record; those of an earlier version name Node's major alone. */
export const runtimeOf = ({ runtime, nodeVersion }: Pick<TargetPlan, 'runtime' | 'nodeVersion'>): Runtime =>
  runtime ?? { name: 'node', version: String(nodeVersion) };

/** A folder that was considered; the chosen ones come first. */
export const CandidateSchema = z.object({
  target: z.enum(['frontend', 'backend']),
  path: z.string(),
  framework: z.string().nullable(),
  score: z.number(),
  reason: z.string(),
});
export type Candidate = z.infer<typeof CandidateSchema>;

export const PlanSchema = z.object({
  commit: z.string(),
  /** The branch or the tag that was asked for; neither for a commit. */
  branch: z.string().optional(),
  tag: z.string().optional(),
  /** The lane whose caches the builds read and write. Absent in plans of an earlier version. */
  lane: LaneSchema.optional(),
  /** Which of the project's variables and addresses the deployment has. Absent in plans of an earlier version. */
  environment: EnvironmentSchema.optional(),
  frontend: TargetPlanSchema.optional(),
  backend: TargetPlanSchema.optional(),
  /** What builds get besides the commit's files, where the repository's settings file says something; else the request's holds. */
  git: GitOptionsSchema.optional(),
  /** As `git`. */
  publication: PublicationSchema.optional(),
  /** Why `git` and `publication` are what they are. */
  evidence: z.array(EvidenceSchema).optional(),
  /**
   * A hash of what the builds read of the repository. Absent where that is not known, and in plans of an earlier
   * version.
   */
  inputs: z.string().optional(),
  /** What the deployment is built from: one with an equal key need not be built again. */
  buildKey: z.string().max(200).optional(),
  candidates: z.array(CandidateSchema),
  warnings: z.array(z.string()),
});
export type Plan = z.infer<typeof PlanSchema>;
