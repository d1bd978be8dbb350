import { z } from 'zod';
import type { Target } from './builders.ts';
import { GitOptionsSchema, PublicationSchema } from './deployment-options.ts';
import { CacheUseSchema, EnvironmentSchema, LaneSchema } from './lanes.ts';
import { AllowSecretsSchema, NodeMajorSchema } from './plan.ts';
import {
  BuildRecordSchema,
  DeploymentRecordSchema,
  FolderArtifactSchema,
  ImageArtifactSchema,
  StaticArtifactSchema,
} from './record.ts';
import { RUNTIMES, type RuntimeName, runtimesOf } from './runtimes.ts';
import { ServiceViewSchema } from './services.ts';
import { UploadIdSchema } from './uploads.ts';
import { ENV_NAME, RESERVED_ENV } from './variables.ts';

export const PROJECT_ID = /^[a-z0-9](-?[a-z0-9])*$/;

/** Refuses half of a surrogate pair: it has no UTF-8 form, so a process, a file or git would get another text. */
function wellFormed<S extends z.ZodString>(schema: S): S {
  return schema.refine((s) => !/\p{Surrogate}/u.test(s), 'holds half of a surrogate pair, which is no character');
}

/** A path inside the repository: relative, `/` as separator, no `..`, no control characters. */
const repoPath = wellFormed(
  z
    .string()
    .min(1)
    .max(512)
    .regex(/^(?![/-])[^\\]*$/, 'must be a path relative to the repository root, with / as separator')
    .regex(/^(?!(?:[\s\S]*\/)?\.\.(?:\/|$))/, 'must stay inside the repository: ".." is not allowed')
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters')
    // OpenAPI allows one pattern for a field, so this one says all of the above.
    .meta({ pattern: '^(?![/-])(?!(.*/)?\\.\\.(/|$))[^\\\\\\x00-\\x1f\\x7f]+$' }),
);

/** A shell command. Empty string: nothing is run. */
const command = wellFormed(
  z
    .string()
    .max(2_000)
    .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, 'must not contain control characters'),
);

/**
 * A branch, tag or commit: the rules of `git check-ref-format` that matter here, and no leading `-`, which git could
 * read as an option.
 */
export const RefSchema = wellFormed(
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^(?!-)/, 'must not start with "-"')
    .regex(/^(?!\/)[^\u0000-\u0020\u007f~^:?*[\\]*$/, 'must be a branch, tag or commit name')
    .regex(/^(?![\s\S]*(?:\.\.|@\{|\/$|\.lock$))/, 'must be a branch, tag or commit name')
    .meta({ pattern: '^(?![/-])(?!.*(\\.\\.|@\\{|/$|\\.lock$))[^\\x00-\\x20\\x7f~^:?*\\[\\\\]+$' }),
);

/** A version of a runtime that any may be given of: digits, letters and what versions have between them. */
const anyVersion = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]*$/, 'must be a version');

/** What a target is to be built with; without a version the one that the repository states, else the default. */
const RuntimeOverrideSchema = (target: Target) => {
  const [first, ...rest] = runtimesOf(target).map((name) => {
    const { versions } = RUNTIMES[name];
    const version = versions ? z.enum(versions as [string, ...string[]]) : anyVersion;
    return z.strictObject({ name: z.literal(name), version: version.optional() });
  });
  return z.discriminatedUnion('name', [first!, ...rest]);
};
export interface RuntimeOverride {
  readonly name: RuntimeName;
  readonly version?: string | undefined;
}

export const FrontendOverridesSchema = z.strictObject({
  path: repoPath.optional(),
  runtime: RuntimeOverrideSchema('frontend').optional(),
  nodeVersion: NodeMajorSchema.optional(),
  installCommand: command.optional(),
  buildCommand: command.optional(),
  outputDirectory: repoPath.optional(),
  allowSecrets: AllowSecretsSchema.optional(),
});
export type FrontendOverrides = z.infer<typeof FrontendOverridesSchema>;

export const BackendOverridesSchema = z.strictObject({
  path: repoPath.optional(),
  runtime: RuntimeOverrideSchema('backend').optional(),
  nodeVersion: NodeMajorSchema.optional(),
  /** A Dockerfile of the repository's own, relative to `path`, which is its context. It decides everything else. */
  dockerfile: repoPath.optional(),
  startCommand: command.min(1).optional(),
});
export type BackendOverrides = z.infer<typeof BackendOverridesSchema>;

const FREE_ENV = new RegExp(`^(?!${RESERVED_ENV.source.replaceAll('^', '')})`);

export const MAX_BUILD_VARIABLES = 100;
export const MAX_VARIABLE_NAME = 128;
/**
 * Limit for all variables of a build together, counted as a process holds them (`NAME=value` and a NUL each, in UTF-8):
 * 64 KiB of values plus the longest possible names, 65,536 + 100 × (128 + 2) = 78,536 bytes. Linux allows 131,072 bytes
 * for one variable (MAX_ARG_STRLEN), and far more for all of them.
 */
export const MAX_BUILD_ENV_BYTES = 65_536 + MAX_BUILD_VARIABLES * (MAX_VARIABLE_NAME + 2);

const utf8Length = (text: string) => new TextEncoder().encode(text).length;
export const buildEnvBytes = (env: Readonly<Record<string, string>>): number =>
  Object.entries(env).reduce((sum, [name, value]) => sum + name.length + utf8Length(value) + 2, 0);

/** Variables given to install, build and image steps. At most 100; a single one may use the whole 64 KiB. */
export const BuildEnvSchema = z
  .record(
    z
      .string()
      .regex(ENV_NAME, 'must be a variable name: letters, digits and _')
      .regex(FREE_ENV, 'is reserved by the platform; choose another name')
      .max(MAX_VARIABLE_NAME),
    wellFormed(
      z
        .string()
        .max(65_536)
        .regex(/^[^\u0000]*$/, 'must not contain a NUL character'),
    ),
  )
  .refine((env) => Object.keys(env).length <= MAX_BUILD_VARIABLES, `must hold at most ${MAX_BUILD_VARIABLES} variables`)
  .refine(
    (env) => buildEnvBytes(env) <= MAX_BUILD_ENV_BYTES,
    `must take at most ${MAX_BUILD_ENV_BYTES} bytes in all: names, values, and two bytes for each variable`,
  )
  .meta({
    maxProperties: MAX_BUILD_VARIABLES,
    propertyNames: {
      pattern: `^(?!${RESERVED_ENV.source.replaceAll('^', '')})[A-Za-z_][A-Za-z0-9_]*$`,
      maxLength: MAX_VARIABLE_NAME,
    },
  });

/** Checks the form only; the git policy in `lambdas/shared/repo` decides which hosts and schemes are allowed. */
const gitUrl = wellFormed(z.string().min(1).max(2_048)).meta({ format: 'git-url' });

export const ProjectIdSchema = z
  .string()
  .max(63)
  .regex(PROJECT_ID, 'must be lower-case letters and digits, with single "-" between them');

export const CreateDeploymentSchema = z.strictObject({
  projectId: ProjectIdSchema,
  /** Default: the project's. */
  gitUrl: gitUrl.optional(),
  /** In place of a repository: a folder that was uploaded to the project (`POST /projects/{id}/uploads`). */
  upload: UploadIdSchema.optional(),
  ref: RefSchema.optional(),
  /** Token for a private repository: used for fetching only, never shown again. */
  gitToken: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .optional(),
  git: GitOptionsSchema.optional(),
  frontend: z.union([z.literal(false), FrontendOverridesSchema]).optional(),
  backend: z.union([z.literal(false), BackendOverridesSchema]).optional(),
  env: BuildEnvSchema.optional(),
  /** Default: `production` for the production branch or no ref, `preview` for everything else, an upload too. */
  environment: EnvironmentSchema.optional(),
  /** `drop`: the caches of the project and lane are removed, and the builds start without. Default: `use`. */
  cache: CacheUseSchema.optional(),
  publication: PublicationSchema.optional(),
  /** Builds also where an equal deployment was built before. Default: false. */
  force: z.boolean().optional(),
});
export type CreateDeployment = z.infer<typeof CreateDeploymentSchema>;

export const RedeploySchema = CreateDeploymentSchema.pick({ cache: true });

export const AnalyzeSchema = z.strictObject({
  gitUrl,
  ref: RefSchema.optional(),
  gitToken: CreateDeploymentSchema.shape.gitToken,
  /** As in a deployment: the plan does not warn of submodules and the like that would be fetched. */
  git: GitOptionsSchema.optional(),
  path: repoPath.optional(),
});
export type AnalyzeRequest = z.infer<typeof AnalyzeSchema>;

/** A whole number in a query or header. Zod's coercion would also accept `0x10`, `1e2` and an empty text. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be ${min} to ${max}`)
    .meta({ type: 'integer', minimum: min, maximum: max });

/** Lines of one page of a log. */
export const MAX_LOG_PAGE_LINES = 10_000;

export const LogQuerySchema = z.strictObject({
  /** Lines of a page at most; a page may have fewer, since its bytes are limited too. */
  limit: wholeNumber(1, MAX_LOG_PAGE_LINES).optional(),
  /** From the `Link` of the page before. */
  cursor: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  /** Lines up to this `seq` are known; the same as a cursor. */
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  follow: z.enum(['true', 'false']).optional(),
});
export const LastEventIdSchema = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const ProjectListQuerySchema = z.strictObject({
  limit: wholeNumber(1, 100).default(20),
  cursor: z.string().max(64).optional(),
});

export const ListQuerySchema = z.strictObject({
  projectId: ProjectIdSchema.optional(),
  limit: wholeNumber(1, 100).default(20),
  cursor: z.string().max(64).optional(),
});

// --- answers --------------------------------------------------------------------------------------------------------

export const LinksSchema = z.object({
  self: z.url(),
  logs: z.url(),
  cancel: z.url(),
  redeploy: z.url(),
  promote: z.url(),
});

export const AcceptedSchema = DeploymentRecordSchema.pick({ deploymentId: true, projectId: true, status: true }).extend(
  {
    links: LinksSchema,
  },
);
export type Accepted = z.infer<typeof AcceptedSchema>;

/** Where a site is served. Only `url` is there on every platform. */
export const SiteAddressesSchema = z.object({
  /** Production, at an address that every client can fetch. */
  url: z.url(),
  /** The same under a host name of its own, which shares no cookies with other sites (laptop). */
  hostUrl: z.url().optional(),
  /** This very deployment, for as long as it is kept. */
  deploymentUrl: z.url().optional(),
  /** The newest deployment of its branch. */
  branchUrl: z.url().optional(),
});
export type SiteAddresses = z.infer<typeof SiteAddressesSchema>;

const BuildViewSchema = BuildRecordSchema.extend({
  /** Place in the queue, from 1, while the build waits. */
  position: z.number().int().min(1).optional(),
  artifact: z
    .discriminatedUnion('kind', [
      StaticArtifactSchema.extend(SiteAddressesSchema.shape),
      ImageArtifactSchema,
      FolderArtifactSchema,
    ])
    .optional(),
});

/** A deployment as the API gives it: the record, where its site is, its place in the queue, and links. */
export const DeploymentViewSchema = DeploymentRecordSchema.extend({
  builds: z.object({ frontend: BuildViewSchema.optional(), backend: BuildViewSchema.optional() }),
  links: LinksSchema,
  /** Since when production serves it, or what it is the same as; absent where production serves another. */
  released: z.iso.datetime().optional(),
  /** Its running backend. Absent where it has none, and where the platform does not run backends. */
  service: ServiceViewSchema.optional(),
});
export type DeploymentView = z.infer<typeof DeploymentViewSchema>;

export const DeploymentListSchema = z.object({
  items: z.array(DeploymentViewSchema),
  /** Give it as `cursor` for the next page; absent on the last. */
  cursor: z.string().optional(),
});
export type DeploymentList = z.infer<typeof DeploymentListSchema>;

/** What dropping a project's caches has removed, by lane. A lane without caches is left out. */
export const DroppedCachesSchema = z.object({
  projectId: ProjectIdSchema,
  dropped: z.array(z.object({ lane: LaneSchema, archives: z.number().int(), bytes: z.number().int() })),
});
export type DroppedCaches = z.infer<typeof DroppedCachesSchema>;

/** Opens one WebSocket in place of the token: URLs end up in logs, and a used ticket is worth nothing there. */
export const TicketSchema = z.object({ ticket: z.string(), expiresAt: z.iso.datetime() });
export type Ticket = z.infer<typeof TicketSchema>;

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
