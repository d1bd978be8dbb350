import { z } from 'zod';
import { NodeMajorSchema } from './plan.ts';
import { BuildRecordSchema, DeploymentRecordSchema, ImageArtifactSchema, StaticArtifactSchema } from './record.ts';

export const PROJECT_ID = /^[a-z0-9](-?[a-z0-9])*$/;
export const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A path inside the repository: relative, `/` as separator, no `..`, no control characters. */
const repoPath = z
  .string()
  .min(1)
  .max(512)
  .refine(
    (p) => !p.startsWith('/') && !p.startsWith('-') && !p.includes('\\'),
    'must be a path relative to the repository root, with / as separator',
  )
  .refine((p) => !p.split('/').includes('..'), 'must stay inside the repository: ".." is not allowed')
  .refine((p) => !/[\u0000-\u001f\u007f]/.test(p), 'must not contain control characters');

/** A shell command. Empty string: nothing is run. */
const command = z
  .string()
  .max(2_000)
  .refine((c) => !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(c), 'must not contain control characters');

/** A branch, tag or commit. Rules of `git check-ref-format` that matter here, plus: never option-like. */
export const RefSchema = z
  .string()
  .min(1)
  .max(255)
  .refine((r) => !r.startsWith('-'), 'must not start with "-"')
  .refine(
    (r) =>
      !/[\u0000-\u0020\u007f~^:?*[\\]/.test(r) &&
      !r.includes('..') &&
      !r.includes('@{') &&
      !r.endsWith('.lock') &&
      !r.endsWith('/') &&
      !r.startsWith('/'),
    'must be a branch, tag or commit name',
  );

export const FrontendOverridesSchema = z.strictObject({
  path: repoPath.optional(),
  nodeVersion: NodeMajorSchema.optional(),
  installCommand: command.optional(),
  buildCommand: command.optional(),
  outputDirectory: repoPath.optional(),
});
export type FrontendOverrides = z.infer<typeof FrontendOverridesSchema>;

export const BackendOverridesSchema = z.strictObject({
  path: repoPath.optional(),
  nodeVersion: NodeMajorSchema.optional(),
  startCommand: command.min(1).optional(),
});
export type BackendOverrides = z.infer<typeof BackendOverridesSchema>;

/** Names that a user may not set: they would change the builder rather than the build. */
export const RESERVED_ENV =
  /^(AWS_|KAFKA_|VEREN_|LD_|DYLD_)|^(PATH|HOME|NODE_OPTIONS|PROJECT_ID|DEPLOYMENTID|BASH_ENV|ENV|IFS|SHELLOPTS)$/;

const MAX_BUILD_VARIABLES = 100;
const MAX_VARIABLE_NAME = 128;
/**
 * What all variables of a build may take together as a process has them, `NAME=value` and a NUL each, in UTF-8: 64 KiB of
 * values, with as many and as long names as there may be. 65,536 + 100 × (128 + 2) = 78,536 bytes. Linux takes 131,072 bytes
 * for one of them (MAX_ARG_STRLEN), and far more for all.
 */
export const MAX_BUILD_ENV_BYTES = 65_536 + MAX_BUILD_VARIABLES * (MAX_VARIABLE_NAME + 2);

const utf8Length = (text: string) => new TextEncoder().encode(text).length;
export const buildEnvBytes = (env: Readonly<Record<string, string>>): number =>
  Object.entries(env).reduce((sum, [name, value]) => sum + name.length + utf8Length(value) + 2, 0);

/** Variables given to install, build and image steps. At most 100; one may have the 64 KiB of all. */
export const BuildEnvSchema = z
  .record(
    z.string().regex(ENV_NAME, 'must be a variable name: letters, digits and _').max(MAX_VARIABLE_NAME),
    z.string().max(65_536),
  )
  .refine((env) => Object.keys(env).length <= MAX_BUILD_VARIABLES, `must hold at most ${MAX_BUILD_VARIABLES} variables`)
  .refine(
    (env) => buildEnvBytes(env) <= MAX_BUILD_ENV_BYTES,
    `must take at most ${MAX_BUILD_ENV_BYTES} bytes in all: names, values, and two bytes for each variable`,
  )
  .superRefine((env, ctx) => {
    for (const name of Object.keys(env))
      if (RESERVED_ENV.test(name))
        ctx.addIssue({ code: 'custom', path: [name], message: 'is reserved by the platform; choose another name' });
    for (const [name, value] of Object.entries(env))
      if (value.includes('\u0000'))
        ctx.addIssue({ code: 'custom', path: [name], message: 'must not contain a NUL character' });
  });

/** Form only; which hosts and schemes are allowed is the git policy's matter (`lambdas/shared/repo`). */
const gitUrl = z.string().min(1).max(2_048);

export const ProjectIdSchema = z
  .string()
  .max(63)
  .regex(PROJECT_ID, 'must be lower-case letters and digits, with single "-" between them');

export const CreateDeploymentSchema = z.strictObject({
  projectId: ProjectIdSchema,
  gitUrl,
  ref: RefSchema.optional(),
  /** Token for a private repository: used for fetching only, never shown again. */
  gitToken: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .optional(),
  frontend: z.union([z.literal(false), FrontendOverridesSchema]).optional(),
  backend: z.union([z.literal(false), BackendOverridesSchema]).optional(),
  env: BuildEnvSchema.optional(),
});
export type CreateDeployment = z.infer<typeof CreateDeploymentSchema>;

export const AnalyzeSchema = z.strictObject({
  gitUrl,
  ref: RefSchema.optional(),
  gitToken: CreateDeploymentSchema.shape.gitToken,
  path: repoPath.optional(),
});
export type AnalyzeRequest = z.infer<typeof AnalyzeSchema>;

// --- answers --------------------------------------------------------------------------------------------------------

export const LinksSchema = z.object({
  self: z.url(),
  logs: z.url(),
  cancel: z.url(),
  redeploy: z.url(),
});

export const AcceptedSchema = DeploymentRecordSchema.pick({ deploymentId: true, projectId: true, status: true }).extend(
  {
    links: LinksSchema,
  },
);
export type Accepted = z.infer<typeof AcceptedSchema>;

const BuildViewSchema = BuildRecordSchema.extend({
  /** Place in the queue, from 1, while the build waits. */
  position: z.number().int().min(1).optional(),
  artifact: z
    .discriminatedUnion('kind', [StaticArtifactSchema.extend({ url: z.url() }), ImageArtifactSchema])
    .optional(),
});

/** A deployment as the API gives it: the record, where its site is, its place in the queue, and links. */
export const DeploymentViewSchema = DeploymentRecordSchema.extend({
  builds: z.object({ frontend: BuildViewSchema.optional(), backend: BuildViewSchema.optional() }),
  links: LinksSchema,
});
export type DeploymentView = z.infer<typeof DeploymentViewSchema>;

export const DeploymentListSchema = z.object({
  items: z.array(DeploymentViewSchema),
  /** Give it as `cursor` for the next page; absent on the last. */
  cursor: z.string().optional(),
});
export type DeploymentList = z.infer<typeof DeploymentListSchema>;

/** RFC 9457 problem details, with `code` from the error table and every fault of a bad body. */
export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof ProblemSchema>;
